"""A real database, a real node behind a real port, a real client, and a scripted model behind it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from promptstore.local.embedded import embedded_postgres
from providers.scripted import ScriptedServer
from serving.app import App
from serving.node import Node
from serving.settings import NodeSettings
from tests.serving.world import AUTH, World


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database of these tests alone, on a server of their own."""
    home = Path(tempfile.mkdtemp(prefix="ps-serving-"))
    with embedded_postgres(home, durable=False) as urls:
        World(urls.superuser_url).create_tables()
        yield urls.superuser_url
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def world(database_url: str) -> World:
    """The control plane's side: one project, nothing published yet."""
    made = World(database_url)
    made.reset()
    return made


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@dataclass
class RunningNode:
    """A node, and a client that presents the test's key."""

    node: Node
    url: str
    client: aiohttp.ClientSession

    async def get(self, path: str, **options: Any) -> tuple[int, Any, Any]:
        """Status, headers and body (JSON where it is)."""
        return await self._call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, Any, Any]:
        if body is not None:
            options["json"] = body
        return await self._call("POST", path, **options)

    async def chat(self, **body: Any) -> tuple[int, Any, Any]:
        body = {"model": "config-assistant", "prompt_variables": {"service": "nginx"}} | body
        return await self.post("/v1/chat/completions", body)

    async def _call(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
        options.setdefault("headers", {})
        options["headers"] = {**AUTH, **options["headers"]}
        async with self.client.request(method, self.url + path, **options) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return (
                response.status,
                response.headers,
                await response.json(content_type=None) if is_json else raw,
            )

    async def until(self, condition: Callable[[], Any], *, within_s: float = 8.0) -> Any:
        """Wait until the condition holds; what it returned."""
        async with asyncio.timeout(within_s):
            while not (value := condition()):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
            return value

    async def until_generation(self, generation: int) -> None:
        await self.until(
            lambda: any(e.generation == generation for e in self.node.holder.current.environments.values())
        )


@asynccontextmanager
async def running_node(settings: NodeSettings) -> AsyncIterator[RunningNode]:
    """A node behind uvicorn on a loopback port, in this event loop."""
    node = Node(settings)
    # Named as TCP, else asyncio leaves Nagle's algorithm on and every answer waits for a delayed
    # acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    config = uvicorn.Config(
        App(node),
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    # `serve` would take over the signal handlers of the test process.
    task = asyncio.create_task(server._serve([listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.005)
        async with aiohttp.ClientSession() as client:
            yield RunningNode(node, f"http://127.0.0.1:{listener.getsockname()[1]}", client)
    finally:
        node.begin_stop()
        server.should_exit = True
        await task


@pytest.fixture
def settings(world: World, tmp_path: Path) -> NodeSettings:
    return NodeSettings(
        database_url=world.url, home=tmp_path / "node", name="node-1", master_key=b"m" * 32, poll_s=0.5
    )


@pytest.fixture
async def node(settings: NodeSettings) -> AsyncIterator[RunningNode]:
    """A running node on the test's world."""
    async with running_node(settings) as running:
        yield running
