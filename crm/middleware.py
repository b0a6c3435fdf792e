from django.http import HttpResponseNotAllowed
from django.utils.cache import patch_vary_headers

METHODS = ("GET", "HEAD", "OPTIONS", "POST")

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store, private",
}


class HeadersMiddleware:
    """Put on every answer the headers that Django has no setting for; a view may set its own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response


class MethodsMiddleware:
    """Refuse the methods that no page has; Django's form views would take PUT for POST."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)
