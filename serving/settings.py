"""What a node reads from its environment; docs/configuration.md explains each variable."""

from __future__ import annotations

import base64
import binascii
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """One node. `home` is this node's own directory: identity, last good state, spool."""

    database_url: str
    home: Path
    name: str
    host: str = "127.0.0.1"
    port: int = 8001
    master_key: bytes = b""
    poll_s: float = 3.0
    max_body_bytes: int = 1_000_000
    spool_max_bytes: int = 256_000_000
    mirror_at_once: int = 8
    mirror_queue: int = 64
    log_level: str = "INFO"


def from_environment(environ: Mapping[str, str] = os.environ) -> NodeSettings:
    """Raises `ValueError` naming the variable that is missing or malformed."""
    name = environ.get("NODE_NAME") or f"{socket.gethostname().split('.', 1)[0]}-serving"
    if not _NODE_NAME.match(name):
        raise ValueError("NODE_NAME: use 1 to 80 letters, digits, dots, dashes or underscores")
    database_url = _secret(environ, "DATABASE_URL")
    if not database_url:
        raise ValueError("DATABASE_URL: set it to postgresql://user:password@host:port/database")
    return NodeSettings(
        database_url=database_url,
        home=Path(environ.get("PROMPTSTORE_HOME") or ".promptstore") / "serving" / name,
        name=name,
        host=environ.get("SERVE_HOST") or "127.0.0.1",
        port=_integer(environ, "SERVE_PORT", 8001, 0, 65_535),
        master_key=_master_key(_secret(environ, "PROMPTSTORE_MASTER_KEY")),
        poll_s=float(_integer(environ, "SERVE_POLL_SECONDS", 3, 1, 3600)),
        max_body_bytes=_integer(environ, "SERVE_MAX_BODY_BYTES", 1_000_000, 1_000, 100_000_000),
        spool_max_bytes=_integer(environ, "SERVE_SPOOL_MAX_BYTES", 256_000_000, 1_000_000, 1 << 40),
        mirror_at_once=_integer(environ, "SERVE_MIRROR_AT_ONCE", 8, 1, 1_000),
        mirror_queue=_integer(environ, "SERVE_MIRROR_QUEUE", 64, 0, 100_000),
        log_level=environ.get("PROMPTSTORE_LOG_LEVEL") or "INFO",
    )


def _secret(environ: Mapping[str, str], name: str) -> str:
    """NAME, or what the file holds that NAME_FILE points at."""
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else environ.get(name, "")


def _master_key(text: str) -> bytes:
    if not text:
        return b""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError("PROMPTSTORE_MASTER_KEY: expected 32 bytes in base64")
    return key


def _integer(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{name}: expected an integer from {least} to {most}")
    return int(text)
