"""Questions that tell whether a child is ready."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis


class Readiness(StrEnum):
    """What a probe found."""

    STARTING = "starting"
    ALIVE = "alive"  # answers, but says itself that it is not ready
    READY = "ready"


Probe = Callable[[], Readiness]


def always() -> Readiness:
    """For a child that is ready as soon as it runs."""
    return Readiness.READY


def http_probe(base_url: str, *, ready: str = "/readyz", alive: str | None = None) -> Probe:
    """200 from `ready` is ready; 200 from `alive` alone is alive. Proxy settings are not used."""

    def answers(path: str) -> bool:
        parts = urlsplit(base_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def probe() -> Readiness:
        if answers(ready):
            return Readiness.READY
        return Readiness.ALIVE if alive and answers(alive) else Readiness.STARTING

    return probe


def postgres_probe(dsn: str) -> Probe:
    """Ready when a session can be opened."""

    def probe() -> Readiness:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return Readiness.STARTING
        return Readiness.READY

    return probe


def valkey_probe(url: str) -> Probe:
    """Ready when it answers PING, which it does once the data is loaded."""

    def probe() -> Readiness:
        try:
            with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
                client.ping()
        except redis.RedisError:
            return Readiness.STARTING
        return Readiness.READY

    return probe


def file_probe(path: Path) -> Probe:
    """Ready when the child has made its mark. Remove the mark before the child starts."""

    def probe() -> Readiness:
        return Readiness.READY if path.exists() else Readiness.STARTING

    return probe
