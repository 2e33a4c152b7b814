"""A database host that takes connections and says nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from promptstore.database_url import CONNECT_TIMEOUT_S, parse_database_url

URL = "postgresql://user:secret@db:5433/name"


@pytest.fixture
def silent_database(db: None) -> Iterator[None]:
    """The kernel completes each connection, and nobody ever answers on it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://user@127.0.0.1:{listener.getsockname()[1]}/name"
        real = connections["default"]
        silent = real.copy()
        silent.settings_dict = {**silent.settings_dict, **parse_database_url(url, connect_timeout_s=2)}
        connections["default"] = silent
        try:
            yield
        finally:
            connections["default"] = real
            silent.close()


@pytest.mark.usefixtures("silent_database")
def test_health_and_metrics_answer_though_the_database_does_not(client: Client) -> None:
    # Without a limit each of these would wait for as long as the test may take.
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"promptstore_metrics_database_up 0.0" in answer.content


def test_every_connection_of_the_console_has_limits() -> None:
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["connect_timeout"] == str(CONNECT_TIMEOUT_S)
    assert int(options["tcp_user_timeout"]) == 10_000


def test_what_the_url_says_wins() -> None:
    options = parse_database_url(URL + "?connect_timeout=30&sslmode=require", connect_timeout_s=2)["OPTIONS"]
    assert (options["connect_timeout"], options["sslmode"]) == ("30", "require")
    assert parse_database_url(URL, connect_timeout_s=2)["OPTIONS"]["connect_timeout"] == "2"
