import pytest
from django.urls import URLPattern, get_resolver, reverse

from core.views import KeyConverter

pytestmark = pytest.mark.django_db

# Everything else asks who it is; a new public page stands here, with its reason.
PUBLIC = {
    "account_login": "where people say who they are",
    "account_logout": "harmless, and a second log-out should not end at an error",
    "account_reset_password": "for people who can't log in",
    "account_reset_password_done": "for people who can't log in",
    "account_reset_password_from_key": "for people who can't log in",
    "account_reset_password_from_key_done": "for people who can't log in",
    "account_invitation": "who is invited has no password yet",
    "account_confirm_email": "the mail may be read on another device",
    "mfa_authenticate": "the second step of the log-in",
    "mfa_login_webauthn": "a log-in with a passkey",
}

# An example of each kind of argument that our paths take.
SAMPLES = {"pk": 1, "object_id": 1, "uidb36": "1", "key": "x", "token": "x", "app_label": "users"}


def routes(patterns=None, namespace=""):
    """All patterns of the product with their full names, Django admin's included."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", pattern
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)


ROUTES = list(routes())


def sample_of(converter, name):
    return SAMPLES.get(name, 1 if isinstance(converter, KeyConverter) else "x")


@pytest.mark.parametrize("name", sorted({name for name, _ in ROUTES}))
def test_route_asks_for_the_login_unless_it_is_on_the_public_list(name):
    public = [p for n, p in ROUTES if n == name and not getattr(p.callback, "login_required", True)]

    assert bool(public) == (name in PUBLIC)


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_route_answers_somebody_who_is_not_logged_in(client, method):
    answered = {}
    for name, pattern in ROUTES:
        if name in PUBLIC or name.endswith(":None") or not pattern.name:
            continue
        converters = pattern.pattern.converters
        kwargs = {key: sample_of(kind, key) for key, kind in converters.items()}
        if pattern.pattern.regex.groups and not converters:  # admin's catch-all
            continue
        response = getattr(client, method)(reverse(name, kwargs=kwargs))
        if response.status_code != 302 or not response.url.startswith("/login/?next="):
            answered[name] = response.status_code

    assert answered == {}


def test_public_list_names_existing_routes():
    assert set(PUBLIC) <= {name for name, _ in ROUTES}
