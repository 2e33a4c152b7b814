"""`/metrics` while Postgres is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from django.test import Client

STORED = ("promptstore_outbox_open", "promptstore_outbox_dead", "promptstore_audit_pending")


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody listens where the database was."""
    real = connections["default"]
    away = real.copy()
    away.settings_dict = {**away.settings_dict, "HOST": "127.0.0.1", "PORT": "1"}
    connections["default"] = away
    try:
        yield
    finally:
        connections["default"] = real
        away.close()


def names(client: Client) -> dict[str, str]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if line and not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


@pytest.mark.django_db
def test_without_the_database_what_it_knows_is_left_out_and_one_gauge_says_so(client: Client) -> None:
    with database_away():
        names(client)
        found = names(client)  # the first request has been timed by now
    assert found["promptstore_metrics_database_up"] == "0.0"
    assert not found.keys() & set(STORED)
    assert any(name.startswith("promptstore_http_request_seconds") for name in found)


@pytest.mark.django_db
def test_numbers_come_back_with_the_database(client: Client) -> None:
    with database_away():
        names(client)
    found = names(client)
    assert found["promptstore_metrics_database_up"] == "1.0"
    assert found.keys() >= set(STORED)
