"""Checks of everything around the database: broker, keys, serving node, disk."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError

from promptstore.cli.doctor.findings import Finding, fail, ok, warn
from promptstore.core import crypto
from promptstore.core.errors import DomainError
from promptstore.core.models import Credential, SigningKey

_LOW_BYTES = 1_000_000_000
_TIMEOUT_S = 3


def check_broker() -> Iterator[Finding]:
    """Without it work is late, not lost."""
    place = urlsplit(settings.BROKER_URL)
    where = f"{place.hostname}:{place.port}" if place.hostname else "the broker"
    try:
        with redis.Redis.from_url(
            settings.BROKER_URL, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        ) as client:
            client.ping()
            persists = client.config_get("appendonly").get("appendonly") == "yes"
    except redis.exceptions.ResponseError:
        yield ok("broker", f"{where} answers; it does not say whether it writes to disk")
    except (redis.RedisError, ValueError) as error:
        mend = "Start Valkey and check BROKER_URL. Until then work waits in the outbox; nothing is lost."
        yield fail("broker", f"{where}: {error}", mend, unreachable=True)
    else:
        if persists:
            yield ok("broker", f"{where} answers and writes to disk")
        else:
            yield warn(
                "broker", f"{where} keeps messages in memory only", "Switch on persistence (appendonly yes)."
            )


def check_keys() -> Iterator[Finding]:
    """The master key opens what the database holds, and there are keys to sign with."""
    try:
        crypto.master_key()
    except DomainError as error:
        yield fail("master key", error.detail, "`make run` makes one; on servers: openssl rand -base64 32")
        return
    try:
        yield _opens_stored_secrets()
        present = set(SigningKey.objects.filter(retired_at__isnull=True).values_list("purpose", flat=True))
    except DatabaseError:
        return  # said by the database check
    missing = sorted({"audit", "snapshot"} - present)
    if missing:
        yield fail("signing keys", f"none for {' and '.join(missing)}", "Run `python manage.py bootstrap`.")
    else:
        yield ok("signing keys", "for audit checkpoints and snapshots")


def _opens_stored_secrets() -> Finding:
    sealed = [bytes(row) for row in SigningKey.objects.values_list("sealed_private_key", flat=True)[:20]]
    sealed += [bytes(row) for row in Credential.objects.values_list("sealed", flat=True)[:20]]
    for secret in sealed:
        try:
            crypto.unseal(secret)
        except DomainError:
            mend = "Restore the key this database was made with; with another one, credentials must be entered anew."
            return fail("master key", "it does not open what this database holds", mend)
    return ok(
        "master key",
        f"32 bytes; opens {len(sealed)} stored secrets" if sealed else "32 bytes; nothing stored yet",
    )


def check_serving() -> Iterator[Finding]:
    """A node answers, has something to serve, and is not behind."""
    url = settings.SERVING_URL
    try:
        status, body = _get(f"{url.rstrip('/')}/readyz")
    except (OSError, http.client.HTTPException, ValueError) as error:
        mend = "Start a node (`promptctl serve`) and check SERVING_URL."
        yield fail("serving node", f"{url}: {error}", mend, unreachable=True)
        return
    environments = body.get("environments") or []
    stale = [
        f"{one['project']}/{one['environment']} since {one['stale_since']}"
        for one in environments
        if one["stale_since"]
    ]
    if status != 200:
        mend = "A node without a snapshot waits for the first release; dead tasks need a restart and a look at its log."
        yield fail("serving node", f"{url} is {body.get('status', 'not ready')}", mend)
    elif stale:
        yield warn(
            "serving node", f"serves old state: {', '.join(stale)}", "See whether it reaches the database."
        )
    else:
        yield ok(
            "serving node", f"{body.get('node', url)} serves {len(environments)} environments, up to date"
        )


def check_disk(home: Path) -> Iterator[Finding]:
    """Room for the last good state, the spool and logs."""
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free at {place}"
    if free < _LOW_BYTES:
        yield warn(
            "disk",
            detail,
            "Make room: a full disk stops the spool, and then telemetry is dropped and counted.",
        )
    else:
        yield ok("disk", detail)


def _get(url: str) -> tuple[int, dict[str, Any]]:
    """Proxy settings are not used."""
    parts = urlsplit(url)
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        body = json.loads(response.read(1_000_000) or b"{}")
    finally:
        connection.close()
    if not isinstance(body, dict):
        raise ValueError("the answer is not a serving node's")  # noqa: TRY004 - what came over the wire, not a type
    return response.status, body
