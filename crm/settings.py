"""
Everything an installation decides comes from the environment; with nothing set, the product
runs for one person: SQLite beside the code, this machine only, no debugging.
"""

import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from crm import secret_key

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


# Database

if env("DATABASE_URL", default=""):
    DATABASE = env.db("DATABASE_URL")
else:
    DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / "db.sqlite3")}

ON_POSTGRESQL = DATABASE["ENGINE"] == "django.db.backends.postgresql"

if ON_POSTGRESQL:
    DATABASE["OPTIONS"] = {
        "options": "-c lock_timeout=3s -c statement_timeout=15s"
        " -c idle_in_transaction_session_timeout=30s -c client_connection_check_interval=2s",
        **DATABASE.get("OPTIONS", {}),
    }
    DATABASE["CONN_HEALTH_CHECKS"] = True
elif DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # A write transaction takes its lock when it begins: one that starts by reading and then
    # writes would be refused at once if another writer came between, whatever the timeout.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "PRAGMA cache_size=-64000;PRAGMA mmap_size=134217728;PRAGMA temp_store=MEMORY",
    }
    # Parallel requests need a file: a shared database in memory ignores the timeout.
    DATABASE["TEST"] = {
        "NAME": os.path.join(tempfile.gettempdir(), f"topsail-test-{os.getpid()}.sqlite3")
    }
else:
    raise ImproperlyConfigured("DATABASE_URL must name an SQLite file or a PostgreSQL database.")

DATABASES = {"default": {**DATABASE, "CONN_MAX_AGE": 60}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Keys and hosts

if ON_POSTGRESQL:
    SECRET_KEY = env("SECRET_KEY")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
    if not SECRET_KEY or not ALLOWED_HOSTS:
        raise ImproperlyConfigured("With PostgreSQL, set SECRET_KEY and ALLOWED_HOSTS.")
else:
    SECRET_KEY = env("SECRET_KEY", default="")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOCAL_HOSTS)
    if not SECRET_KEY and DATABASE["NAME"] == ":memory:":
        SECRET_KEY = secrets.token_urlsafe(64)
    elif not SECRET_KEY:
        SECRET_KEY = secret_key.read_or_create(Path(DATABASE["NAME"]).with_suffix(".secret-key"))

SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

DEBUG = env.bool("DEBUG", default=False)
if DEBUG and not set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS):
    raise ImproperlyConfigured("DEBUG shows secrets: it is for hosts on this machine only.")


# Encryption, cookies and headers

HTTPS = env.bool("HTTPS", default=ON_POSTGRESQL)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # probes come past the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
DEVICE_COOKIE_NAME = "__Host-device" if HTTPS else "device"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
CSRF_COOKIE_HTTPONLY = True  # scripts take the token from the page
CSRF_FAILURE_VIEW = "crm.errors.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # only the owner of a domain can put it on the browsers' preload list
]


# Applications

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_filters",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "users",
    "core",
    "accounts",
    "contacts",
    "opportunities",
    "leads",
    "imports",
    "crm",
]

MIDDLEWARE = [
    "core.request_id.RequestIdMiddleware",
    "crm.logs.RequestLogMiddleware",
    "crm.middleware.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.health.HealthMiddleware",
    "crm.middleware.MethodsMiddleware",
    "crm.middleware.ReadableMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "users.middleware.UserSettingsMiddleware",
    "users.middleware.SignedInMiddleware",
    "core.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "core.middleware.SecondStepMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
FORM_RENDERER = "core.forms.Renderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.i18n",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context_processors.shell",
            ]
        },
    }
]


# People

AUTH_USER_MODEL = "users.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
PROFILE_URL = "administration:profile"
SESSION_ENGINE = "users.sessions"
PASSWORD_RESET_TIMEOUT = 60 * 60
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]

VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{VALIDATION}.CommonPasswordValidator"},
    {
        "NAME": f"{VALIDATION}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "users.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # who invites somebody vouches for the address
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # users.attempts counts for all processes at once
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_FORMS = {
    "login": "users.forms.LoginForm",
    "reset_password": "users.forms.ResetRequestForm",
    "reset_password_from_key": "users.forms.NewPasswordForm",
    "change_password": "users.forms.ChangePasswordForm",
    "set_password": "users.forms.SetPasswordForm",
    "reauthenticate": "users.forms.ReauthenticateForm",
}
MFA_ADAPTER = "users.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_FORMS = {
    "authenticate": "users.forms.AuthenticateForm",
    "reauthenticate": "users.forms.ReauthenticateCodeForm",
    "activate_totp": "users.forms.ActivateTOTPForm",
    "add_webauthn": "users.forms.AddKeyForm",
    "edit_webauthn": "users.forms.EditKeyForm",
}

# How many proxies stand in front and add to X-Forwarded-For: whose address an attempt counts for.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)

# Another service that says who somebody is: {provider: (its name, its page here, whose keys)}.
# Nobody gets an account by it; it opens the account that has the address it confirms.
SINGLE_SIGN_ON = {}
PROVIDERS = "allauth.socialaccount.providers"
SOCIALACCOUNT_ADAPTER = "users.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form may not lead to another site
SOCIALACCOUNT_PROVIDERS = {}

if OIDC_URL := env("OIDC_URL", default=""):
    name = env("OIDC_NAME", default="OpenID Connect")
    app = {
        "provider_id": "oidc",
        "name": name,
        "client_id": env("OIDC_CLIENT_ID"),
        "secret": env("OIDC_CLIENT_SECRET"),
        "settings": {"server_url": OIDC_URL},
    }
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {"APPS": [app]}
    where = {"provider_id": "oidc"}
    SINGLE_SIGN_ON[f"{PROVIDERS}.openid_connect"] = (name, "openid_connect_login", where)

if SAML_METADATA_URL := env("SAML_METADATA_URL", default=""):
    name = env("SAML_NAME", default="SAML")
    app = {
        "provider_id": env("SAML_ENTITY_ID"),
        "name": name,
        "client_id": "saml",
        "settings": {
            "idp": {"entity_id": env("SAML_ENTITY_ID"), "metadata_url": SAML_METADATA_URL},
            "attribute_mapping": {"uid": env("SAML_UID", default="uid"), "email": "email"},
        },
    }
    SOCIALACCOUNT_PROVIDERS["saml"] = {"APPS": [app]}
    SINGLE_SIGN_ON[f"{PROVIDERS}.saml"] = (name, "saml_login", {"organization_slug": "saml"})

if SINGLE_SIGN_ON:
    INSTALLED_APPS += ["allauth.socialaccount", *SINGLE_SIGN_ON]


# Languages and time

LANGUAGES = [("en-gb", _("English")), ("en", _("English (United States)")), ("de", _("German"))]
LANGUAGE_CODE = "en-gb"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True


# Mail, files, jobs

vars().update(env.email("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="topsail@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

STORAGE = urlsplit(env("STORAGE_URL", default="file:"))
if STORAGE.scheme != "file":
    raise ImproperlyConfigured("STORAGE_URL must name a folder, such as file:///var/lib/topsail.")

# The image sets it: names with a hash, compressed, collected while it is built. Elsewhere the
# files are served from where they stand.
STATIC_MANIFEST = env.bool("STATIC_MANIFEST", default=False)
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if STATIC_MANIFEST else None
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
WHITENOISE_ALLOW_ALL_ORIGINS = False

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": STORAGE.path or BASE_DIR / "files",
            "file_permissions_mode": 0o600,
        },
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

TASK_ENGINE = env("TASK_ENGINE", default="database")
if TASK_ENGINE not in ("database", "celery", "immediate"):
    raise ImproperlyConfigured("TASK_ENGINE is one of: database, celery, immediate.")


# Logs: one JSON object a line, no names, no bodies, no query strings

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "crm.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "topsail": {"level": env("LOG_LEVEL", default="INFO")},
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # Each request has its line; here only what broke has another one, with its trace.
        "django.request": {"level": "ERROR"},
        "topsail.security": {"level": "INFO"},
        # Scanners of the internet send any name; the answer 400 is enough.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
