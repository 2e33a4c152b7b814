"""Settings: one typed block read from the environment; docs/configuration.md explains each variable."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from csp.constants import SELF
from environs import Env

from promptstore.core.logs import configure_logging
from promptstore.database_url import CONNECT_TIMEOUT_S, parse_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()


def secret(name: str, default: str = "") -> str:
    """A secret from NAME or from the file that NAME_FILE points at."""
    path = env.str(f"{name}_FILE", "")
    return Path(path).read_text(encoding="utf-8").strip() if path else env.str(name, default)


# --- what this instance is -----------------------------------------------------------------------------------
PROMPTSTORE_HOME = Path(env.str("PROMPTSTORE_HOME", str(BASE_DIR / ".promptstore")))
PROMPTSTORE_MODEL_URL = env.str("PROMPTSTORE_MODEL_URL", "")
PROMPTSTORE_MASTER_KEY = secret("PROMPTSTORE_MASTER_KEY")
CONSOLE_URL = env.str("CONSOLE_URL", "http://127.0.0.1:8000")
SERVING_URL = env.str("SERVING_URL", "http://127.0.0.1:8001")
PROMPTSTORE_BANNER = env.str("PROMPTSTORE_BANNER", "")
PROMPTSTORE_EMAIL_URL = secret("PROMPTSTORE_EMAIL_URL")
PROMPTSTORE_EMAIL_FROM = env.str("PROMPTSTORE_EMAIL_FROM", "")
PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = env.bool("PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE", False)

DEBUG = env.bool("PROMPTSTORE_DEBUG", False)
# Commands that need no server (checks, schema, static files) run without a secret; servers refuse to start.
SECRET_KEY = secret("PROMPTSTORE_SECRET_KEY") or ("unset-" * 10 if "granian" not in sys.argv[0] else "")
ALLOWED_HOSTS = env.list("PROMPTSTORE_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("PROMPTSTORE_TRUSTED_ORIGINS", [])
BEHIND_TLS = env.bool("PROMPTSTORE_BEHIND_TLS", False)

# --- servers ----------------------------------------------------------------------------------------------------
DATABASE_URL = secret("DATABASE_URL", "postgresql://promptstore_app@127.0.0.1:5432/promptstore")
DATABASE_OWNER_URL = secret("DATABASE_OWNER_URL")
BROKER_URL = secret("BROKER_URL", "redis://127.0.0.1:6379/0")
_bouncer = env.bool("PROMPTSTORE_TRANSACTION_POOLING", False)
_connect_timeout_s = env.int("DATABASE_CONNECT_TIMEOUT_SECONDS", CONNECT_TIMEOUT_S)
DATABASES: dict[str, dict[str, Any]] = {
    "default": parse_database_url(
        DATABASE_URL, pooled_by_bouncer=_bouncer, connect_timeout_s=_connect_timeout_s
    )
}
if DATABASE_OWNER_URL:
    DATABASES["owner"] = parse_database_url(DATABASE_OWNER_URL, connect_timeout_s=_connect_timeout_s)
APPLICATION_ROLE = DATABASES["default"]["USER"]

# --- application -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "simple_history",
    "promptstore",
    "promptstore.core",
    "registry",
    "telemetry",
    "incidents",
    "evals",
    "reviews",
    "releases",
    "serving",
    "promptstore.console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "promptstore.core.http.middleware.RequestLogMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "promptstore.core.http.middleware.ProjectMiddleware",
    "promptstore.core.http.middleware.ProblemMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "promptstore.urls"
WSGI_APPLICATION = "promptstore.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "promptstore.console.context.console",
            ],
        },
    }
]
AUTH_USER_MODEL = "core.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
# Files are served from where they are; `collectstatic` is for those who put a file server in front.
STATIC_ROOT = env.str("PROMPTSTORE_STATIC_ROOT", None)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# --- security ------------------------------------------------------------------------------------------------------
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = env.str("PROMPTSTORE_SESSION_COOKIE", "promptstore_session")
CSRF_COOKIE_NAME = env.str("PROMPTSTORE_CSRF_COOKIE", "promptstore_csrf")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "promptstore.console.error_pages.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    }
}

# --- management API ------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "promptstore.core.http.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["promptstore.core.http.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "promptstore.core.http.pagination.NewestFirst",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "promptstore.core.http.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Promptstore management API",
    "DESCRIPTION": "Prompts, models, releases, promotions and rollouts. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {"PersonalEvent": "incidents.serializers.preferences.EVENTS"},
}

# --- work in the background ------------------------------------------------------------------------------------------
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
# Long evaluations in the other queue must not delay a rollback, the relay or the sealer.
CELERY_TASK_ROUTES = {
    name: {"queue": "controller"}
    for name in ("releases.tick", "releases.expire", "core.relay", "core.seal_audit")
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Forever: by Celery's default a worker or beat gives up after 100 attempts, about 46 minutes, and an outage may be longer.
# `None` and not 0, which Celery's manual allows as well: kombu takes 0 for “do not try again”.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # A request that commits while the broker is away must not wait for it (6 s otherwise); the relay sends later.
    "max_retries": 0,
}
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True

# --- drift probes ----------------------------------------------------------------------------------------------------
PROBE_INTERVAL_S = env.int("PROMPTSTORE_PROBE_INTERVAL_S", 21_600)
PROBE_DRIFT_SHARE = env.float("PROMPTSTORE_PROBE_DRIFT_SHARE", 0.1)

# --- review queue ----------------------------------------------------------------------------------------------------
REVIEW_SHARE_BP = env.int("PROMPTSTORE_REVIEW_SHARE_BP", 500)
REVIEW_BUDGET_PER_DAY = env.int("PROMPTSTORE_REVIEW_BUDGET_PER_DAY", 200)
REVIEW_OVERLAP = env.int("PROMPTSTORE_REVIEW_OVERLAP", 2)

# django-simple-history keeps who and why on the mutable rows.
SIMPLE_HISTORY_HISTORY_ID_USE_UUID = True

LOGGING_CONFIG = None
configure_logging(level=env.str("PROMPTSTORE_LOG_LEVEL", "INFO"), as_json=not sys.stderr.isatty())
os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(BASE_DIR / "registry" / "rendering" / "data"))
