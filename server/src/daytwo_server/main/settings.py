"""Django's settings, all derived from `core.conf`. Nothing here reads the environment itself."""

import urllib.parse
from pathlib import Path

from daytwo_server.core import conf as _conf
from daytwo_server.core import secret as _secret
from daytwo_server.core.conf.providers import mail_provider as _mail_provider
from daytwo_server.main.databases import databases as _databases

CONF = _conf.current()
PACKAGE = Path(__file__).resolve().parent.parent

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True

SECRET_KEY = CONF.secret_key or _secret.load_or_create(CONF.data_dir / "secret-key")
SECRET_KEY_FALLBACKS = list(CONF.secret_key_fallbacks)
_public = urllib.parse.urlsplit(CONF.public_url)
ALLOWED_HOSTS = [_public.hostname, "localhost", "127.0.0.1", "[::1]", *CONF.allowed_hosts]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
SECURE = _public.scheme == "https"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "daytwo_server.core.apps.CoreConfig",
    "daytwo_server.ui.apps.UiConfig",
    "daytwo_server.mail.apps.MailConfig",
    "daytwo_server.accounts.apps.AccountsConfig",
    "daytwo_server.desk.apps.DeskConfig",
    "daytwo_server.links.apps.LinksConfig",
    "daytwo_server.calendars.apps.CalendarsConfig",
    "daytwo_server.webhooks.apps.WebhooksConfig",
    "daytwo_server.catalog.apps.CatalogConfig",
    "daytwo_server.customers.apps.CustomersConfig",
    "daytwo_server.errors.apps.ErrorsConfig",
    "daytwo_server.tickets.apps.TicketsConfig",
    "daytwo_server.flags.apps.FlagsConfig",
    "daytwo_server.rollouts.apps.RolloutsConfig",
    "daytwo_server.sla.apps.SlaConfig",
    "daytwo_server.portal.apps.PortalConfig",
    "daytwo_server.operate.apps.OperateConfig",
    "daytwo_server.ingest.apps.IngestConfig",
    "daytwo_server.wiring.apps.WiringConfig",
]

MIDDLEWARE = [
    "daytwo_server.main.middleware.RequestScopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "daytwo_server.main.middleware.HeadersMiddleware",
    "daytwo_server.main.middleware.ApiErrorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "daytwo_server.main.middleware.CompressionMiddleware",  # docs/why/compression.md
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "daytwo_server.main.middleware.WrongMethodMiddleware",
]

ROOT_URLCONF = "daytwo_server.main.urls"
WSGI_APPLICATION = None

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.static", "daytwo_server.ui.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "daytwo_server.accounts.context.shell",
                "daytwo_server.desk.context.desk",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = _databases(CONF)
DATABASE_ROUTERS = ["daytwo_server.core.stores.StoreRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Signed cookies and the database carry all state: a cache that several processes do not share would only mislead.
# Room for many: failed sign-ins are counted in it, and what is forgotten to make room may be tried again.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}}

FORCE_SCRIPT_NAME = _public.path or None
STATIC_URL = f"{_public.path}/static/"
STATIC_ROOT = CONF.data_dir / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "daytwo_server.ui.storage.StaticStorage"},
}
WHITENOISE_MAX_AGE = 3600

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # that mail would point to a sign-up page, and there is none
ACCOUNT_ADAPTER = "daytwo_server.accounts.adapter.AccountAdapter"
ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "X-Daytwo-Client"
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}  # see `accounts.guessing`
MFA_ADAPTER = "daytwo_server.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Its providers are no apps here: those are loaded at start, with a library for HTTP and one for cryptography.
SOCIALACCOUNT_ADAPTER = "daytwo_server.accounts.identities.IdentityAdapter"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds: a page thread waits

SESSION_ENGINE = "daytwo_server.accounts.sessions"
SESSION_COOKIE_NAME = "daytwo_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_NAME = "daytwo_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "daytwo_server.main.views.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

_provider = _mail_provider(CONF.mail_url)
ANYMAIL = {**_provider, **dict(CONF.mail_webhook_keys), "WEBHOOK_SECRET": CONF.mail_webhook_secret}
_mail = urllib.parse.urlsplit("" if _provider else CONF.mail_url)
if _provider:
    EMAIL_BACKEND = f"anymail.backends.{CONF.mail_url.partition('://')[0]}.EmailBackend"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = _mail.scheme == "smtp" and bool(_mail.username)  # a password never goes over an open line
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT = _mail.port or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_HOST_USER = urllib.parse.unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = urllib.parse.unquote(_mail.password or "")
EMAIL_TIMEOUT = 10  # seconds: it is sent while somebody waits for the page
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONF.mail_from

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
LOGGING_CONFIG = None  # the daytwo logger is installed by the command line
