import pytest

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "manifest-src 'self'",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/login/", 200),
        ("/", 302),
        ("/admin/", 302),
        ("/no-such-page/", 404),
        ("/logout/", 405),
        ("/static/css/topsail.css", 200),
    ],
)
def test_every_answer_carries_the_headers(client, path, status):
    response = client.get(path)

    response.close()

    assert response.status_code == status
    policy = response.headers["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} == POLICY
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in response.headers


def test_pages_are_kept_by_no_cache(client, rep):
    client.force_login(rep)

    response = client.get("/")

    assert response.headers["Cache-Control"] == "no-store, private"
    assert {"Cookie", "HX-Request"} <= set(response.headers["Vary"].split(", "))


def test_foreign_host_is_refused(client):
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/login/", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_methods_that_no_page_has_are_refused_before_anything_else(client, rep, method):
    client.force_login(rep)

    response = getattr(client, method)("/leads/new/", {"last_name": "Put"})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
