import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSTGRESQL = {
    "DATABASE_URL": "postgres://topsail:secret@database/topsail",
    "SECRET_KEY": "x" * 60,
    "ALLOWED_HOSTS": "crm.example.com",
}
OURS = {"DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "HTTPS", "DEBUG", "TASK_ENGINE"}


def read_settings(*names, **environment):
    """The named settings as a fresh process reads them, or the reason why it doesn't start."""
    code = (
        "import json; from crm import settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {names!r}}}))"
    )
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
    )
    return json.loads(result.stdout) if result.returncode == 0 else result.stderr


def test_one_person_needs_no_settings(tmp_path):
    url = f"sqlite:///{tmp_path}/a folder/crm.sqlite3"
    (tmp_path / "a folder").mkdir()

    first = read_settings("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "HTTPS", DATABASE_URL=url)
    second = read_settings("SECRET_KEY", DATABASE_URL=url)

    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) > 50
    assert (first["DEBUG"], first["HTTPS"]) == (False, False)
    assert first["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    (key_file,) = (tmp_path / "a folder").iterdir()
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_postgresql_is_encrypted_unless_told_otherwise():
    names = ("HTTPS", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SECURE_HSTS_SECONDS")

    assert read_settings(*names, **POSTGRESQL) == {
        "HTTPS": True,
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_HSTS_SECONDS": 31_536_000,
    }
    assert read_settings("HTTPS", **POSTGRESQL, HTTPS="false") == {"HTTPS": False}


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", [None, ""])
def test_postgresql_does_not_start_without_key_and_hosts(missing, value):
    environment = {name: value for name, value in POSTGRESQL.items() if name != missing}
    if value is not None:
        environment[missing] = value

    refusal = read_settings("DEBUG", **environment)

    assert "ImproperlyConfigured" in refusal
    assert missing in refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@database/topsail"),
        ("STORAGE_URL", "s3://bucket"),
        ("TASK_ENGINE", "cron"),
        ("DEBUG", "true"),  # with a host that others can reach
    ],
)
def test_settings_refuse_what_they_can_not_do(name, value):
    assert "ImproperlyConfigured" in read_settings("DEBUG", **POSTGRESQL | {name: value})


def test_earlier_keys_go_on_counting():
    read = read_settings("SECRET_KEY_FALLBACKS", **POSTGRESQL, SECRET_KEY_FALLBACKS="old,older")

    assert read == {"SECRET_KEY_FALLBACKS": ["old", "older"]}


OIDC = {
    "OIDC_URL": "https://id.example.com",
    "OIDC_CLIENT_ID": "crm",
    "OIDC_CLIENT_SECRET": "x" * 40,
    "OIDC_NAME": "Directory",
}
SAML = {"SAML_METADATA_URL": "https://id.example.com/saml", "SAML_ENTITY_ID": "urn:id"}


def test_no_other_service_signs_people_in_unless_it_is_named():
    found = read_settings("SINGLE_SIGN_ON", "INSTALLED_APPS", DATABASE_URL="sqlite://:memory:")

    assert found["SINGLE_SIGN_ON"] == {}
    assert "allauth.socialaccount" not in found["INSTALLED_APPS"]


def test_single_sign_on_has_its_pages_where_it_is_named(tmp_path):
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.test import Client\n"
        "call_command('migrate', verbosity=0)\n"
        "page = Client(SERVER_NAME='localhost').get('/login/').content.decode()\n"
        'import re; print(re.findall(\'href="(/account/[^"]*)">Directory\', page))'
    )
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/crm.sqlite3", "HTTPS": "false"} | OIDC
    environment["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True,
    )  # fmt: skip

    assert found.stdout.strip() == "['/account/oidc/oidc/login/']", found.stderr


def test_saml_is_read_from_its_metadata():
    found = read_settings("SOCIALACCOUNT_PROVIDERS", DATABASE_URL="sqlite://:memory:", **SAML)

    (app,) = found["SOCIALACCOUNT_PROVIDERS"]["saml"]["APPS"]
    assert app["settings"]["idp"]["metadata_url"] == SAML["SAML_METADATA_URL"]
    assert "SAML_ENTITY_ID" in read_settings("DEBUG", SAML_METADATA_URL="https://id.example.com/")
