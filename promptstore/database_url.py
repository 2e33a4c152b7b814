"""Parse a libpq-style URL into Django's database settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

CONNECT_TIMEOUT_S = 5
# libpq's: what was sent and not acknowledged, or an idle connection, shows within about ten seconds that the host is gone.
_NOTICE_DEAD_HOST = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


def parse_database_url(
    url: str, *, pooled_by_bouncer: bool = False, connect_timeout_s: int = CONNECT_TIMEOUT_S
) -> dict[str, Any]:
    """`postgresql://user:password@host:port/name?host=/socket/dir&sslmode=…` as a `DATABASES` entry.

    A `host` in the query wins over the authority, so that a unix socket directory can be named; libpq's parameters in it
    win over `connect_timeout_s` and over the defaults by which a silent host is noticed.
    Raises `ValueError` with what to write instead.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ValueError("expected postgresql://user:password@host:port/database")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "OPTIONS": {"connect_timeout": str(connect_timeout_s), **_NOTICE_DEAD_HOST, **options},
        "CONN_MAX_AGE": 0 if pooled_by_bouncer else 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": pooled_by_bouncer,
    }
