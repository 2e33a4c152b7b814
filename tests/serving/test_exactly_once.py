"""The node as a process of its own, killed in the middle of its work."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from providers.scripted import ScriptedServer
from tests.serving.test_intake import event
from tests.serving.world import AUTH, World, feature, release

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def node_process(world: World, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "DATABASE_URL": world.url,
        "PROMPTSTORE_HOME": str(home),
        "SERVE_PORT": str(port),
        "NODE_NAME": "node-1",
    }
    process = subprocess.Popen([sys.executable, "-m", "serving"], env=environment, cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)


async def until_ready(client: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with client.get(url + "/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


@pytest.mark.chaos
async def test_every_acknowledged_event_is_stored_exactly_once_across_kill_9(
    world: World, tmp_path: Path
) -> None:
    world.publish(feature(stable=release()))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    acknowledged: set[str] = set()

    async def send(client: aiohttp.ClientSession, killed: asyncio.Event) -> None:
        while not killed.is_set():
            batch = [event() for _ in range(20)]
            try:
                async with client.post(
                    url + "/v1/telemetry", json={"events": batch}, headers=AUTH
                ) as response:
                    if response.status == 202:
                        acknowledged.update(str(one["id"]) for one in batch)
            except aiohttp.ClientError:
                return

    async with aiohttp.ClientSession() as client:
        for round_number in range(3):
            with node_process(world, tmp_path, port) as process:
                await until_ready(client, url)
                killed = asyncio.Event()
                senders = [asyncio.create_task(send(client, killed)) for _ in range(4)]
                # Long enough for batches to be on their way to the database when the process dies.
                await asyncio.sleep(0.4 + 0.13 * round_number)
                os.kill(process.pid, signal.SIGKILL)
                killed.set()
                await asyncio.gather(*senders)
        with node_process(world, tmp_path, port):
            await until_ready(client, url)
            async with asyncio.timeout(30):
                while True:
                    stored = {str(row[0]) for row in world.query("SELECT id FROM telemetry_inference")}
                    if acknowledged <= stored:
                        break
                    await asyncio.sleep(0.1)
    assert acknowledged
    (counted,) = world.query("SELECT sum(count) FROM telemetry_rollup")
    (rows,) = world.query("SELECT count(*) FROM telemetry_inference")
    # Each row is counted once, although batches were sent again after every kill.
    assert counted == rows


async def test_the_process_answers_the_real_path_and_ends_at_once_on_sigterm(
    world: World, tmp_path: Path, scripted: ScriptedServer
) -> None:
    world.publish(feature(stable=release()), base_url=scripted.base_url)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as client:
        with node_process(world, tmp_path, port) as process:
            await until_ready(client, url)
            call = {"model": "config-assistant", "prompt_variables": {"service": "x"}}
            async with client.post(url + "/v1/chat/completions", json=call, headers=AUTH) as response:
                assert response.status == 200
            async with client.get(url + "/v1/snapshot/events", headers=AUTH) as response:
                await response.content.readline()
                process.send_signal(signal.SIGTERM)
                # An open stream does not hold the process up.
                async with asyncio.timeout(5):
                    await response.content.read()
                    assert await asyncio.to_thread(process.wait) == 0


def test_a_wrong_setting_or_a_taken_port_is_a_clear_error(world: World, tmp_path: Path) -> None:
    base = {**os.environ, "DATABASE_URL": world.url, "PROMPTSTORE_HOME": str(tmp_path), "SERVE_PORT": "0"}

    def start(**changes: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "serving"],
            env=base | changes,
            cwd=ROOT,
            capture_output=True,
            timeout=30,
            check=False,
        )

    for changes in (
        {"DATABASE_URL": ""},
        {"SERVE_PORT": "x"},
        {"NODE_NAME": "a b"},
        {"PROMPTSTORE_MASTER_KEY": "short"},
    ):
        done = start(**changes)
        assert done.returncode == 1
        assert next(iter(changes)).encode() in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = start(SERVE_PORT=str(taken.getsockname()[1]))
        assert done.returncode != 0
        assert b"address already in use" in done.stderr.lower()
