"""The scripted server in a thread of this process, for tests that want it beside them."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from providers.scripted.app import ScriptedApp
from providers.scripted.behaviour import parse_script


async def start(app: ScriptedApp, *, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Listen; returns the runner to clean up and the port (the one the system chose, for port 0)."""
    # handler_cancellation makes a client that goes away visible, which is what tests of cancellation look at.
    runner = web.AppRunner(app.web_app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, int(runner.addresses[0][1])


class ScriptedServer:
    """`with ScriptedServer({"models": {"m": {"answer": "yes"}}}) as server:` then call `server.base_url`.

    `script(…)` replaces the script and starts the call counts anew.
    """

    def __init__(
        self, script: dict[str, Any] | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.app = ScriptedApp(parse_script(script or {}))
        self._host = host
        self._port = port
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="scripted-provider", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self._port}/v1"

    def script(self, script: dict[str, Any]) -> None:
        self.app.script = parse_script(script)
        self.app.counts.clear()

    def calls(self, model: str) -> int:
        """How many calls the model got under the present script."""
        return self.app.counts[model]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _main(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        try:
            runner, self._port = await start(self.app, host=self._host, port=self._port)
        except OSError as error:
            self._failure = error
            return
        finally:
            self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()
