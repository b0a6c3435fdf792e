import re
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpResponseNotAllowed, UnreadablePostError
from django.utils.cache import patch_vary_headers

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
LENGTH = re.compile(r"[0-9]{0,18}", re.ASCII)
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


class ReadableMiddleware:
    """
    Read the address and the form before anything else does; refuse what cannot be read.

    Django reads them where they are first asked for, be it the check of a form's token or a page
    of the operator's view, and an error that comes up there may end as one of ours. What is too
    much is refused by Django's own limits; ``crm.errors.bad_request`` answers it.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        for quoted in (request.path_info, request.META.get("QUERY_STRING", "")):
            if "\0" in _decoded(quoted):
                raise BadRequest("The address holds a null character.")
        _ = request.GET  # too many parameters
        if request.method == "POST" and request.content_type in FORMS:
            _read_form(request)
        return self.get_response(request)


def _decoded(quoted):
    """The text behind an address or a form; a null character in a form is its field's affair."""
    try:
        return unquote_to_bytes(quoted).decode()
    except UnicodeError as error:
        raise BadRequest("This is no UTF-8.") from error


def _read_form(request):
    if not LENGTH.fullmatch(request.META.get("CONTENT_LENGTH") or ""):
        raise BadRequest("The length is no number.")
    if request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise BadRequest("Forms are sent in UTF-8.")
    stream = request._stream  # noqa: SLF001 - nothing else tells that a form ended early
    try:
        _ = request.POST
    except (UnreadablePostError, ValueError) as error:
        raise BadRequest("The form cannot be read.") from error
    if request.content_type == FORMS[0]:
        _decoded(request.body)
    if stream._pos < stream.limit:  # noqa: SLF001
        raise BadRequest("The form is shorter than it says.")
