"""`python -m serving`: one serving node in the foreground until SIGINT or SIGTERM."""

from __future__ import annotations

import gc
import signal
import socket
import sys

import uvicorn

from promptstore.core.logs import configure_logging
from serving.app import App
from serving.node import Node
from serving.settings import from_environment
from telemetry.spool import SpoolLockedError

# A call makes hundreds of objects and leaves hardly a cycle: looking for those after every seven hundred is wasted.
_YOUNG_OBJECTS = 20_000


class _Server(uvicorn.Server):
    """Ends endless streams before it waits for open connections, and settles the garbage collector after the
    start.
    """

    def __init__(self, config: uvicorn.Config, node: Node) -> None:
        super().__init__(config)
        self._node = node

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded by now stays: the garbage collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS, 20, 20)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._node.begin_stop()
        await super().shutdown(sockets)


def main() -> int:
    try:
        settings = from_environment()
        configure_logging(level=settings.log_level)
        node = Node(settings)
    except (ValueError, OSError, SpoolLockedError) as error:
        sys.stderr.write(f"serving: {error}\n")
        return 1
    config = uvicorn.Config(
        App(node),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        proxy_headers=False,  # nothing here asks who the caller's machine is
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=4096,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config, node)
    # uvicorn raises the signal that stopped it once more at its end; a stop that was asked for is exit code
    # 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
