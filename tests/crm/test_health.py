import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

PROBES = ["/healthz", "/readyz"]


def test_health_asks_no_database_and_no_session(client):
    """Without the database mark, a query would fail this test."""
    client.cookies["session"] = "x" * 32

    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok")
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.django_db
def test_ready_with_a_database_that_has_all_migrations(client):
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(client):
    MigrationRecorder(connection).record_unapplied("core", "0001_initial")

    response = client.get("/readyz")

    assert (response.status_code, response.content) == (503, b"migrations")


@pytest.mark.django_db
def test_not_ready_while_the_database_is_away(client):
    def away(*args):
        raise OperationalError("connection to server at 10.0.0.7 failed")

    with connection.execute_wrapper(away):
        response = client.get("/readyz")

    assert (response.status_code, response.content) == (503, b"database")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROBES)
def test_probes_come_by_any_host_and_without_encryption(client, settings, path):
    settings.SECURE_SSL_REDIRECT = True

    response = client.get(path, headers={"Host": "10.0.0.7:8000"})

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("method", ["post", "put", "options"])
def test_probes_can_only_be_read(client, path, method):
    assert getattr(client, method)(path).status_code == 405
