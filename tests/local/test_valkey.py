from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from promptstore.local.embedded import embedded_valkey, running
from promptstore.local.home import Home
from promptstore.local.valkey import EmbeddedValkey

pytestmark = pytest.mark.real


def test_data_survives_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        with embedded_valkey(tmp_path / 'a "home"') as url, redis.Redis.from_url(url) as client:
            assert client.incr("starts") == expected


def test_what_was_written_a_second_ago_survives_a_kill(tmp_path: Path) -> None:
    server = EmbeddedValkey(home=Home.open(tmp_path))
    with running(server.service(), server.home) as process, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        assert client.waitaof(1, 0, 5000) == [1, 0]
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    with embedded_valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.get("key") == b"value"


def test_it_wants_its_password(tmp_path: Path) -> None:
    server = EmbeddedValkey(home=Home.open(tmp_path))
    with (
        running(server.service(), server.home),
        redis.Redis(port=server.port) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
