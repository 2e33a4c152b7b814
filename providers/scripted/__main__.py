"""`python -m providers.scripted --port N [--script FILE]`: the scripted provider as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import orjson

from providers.scripted.app import ScriptedApp
from providers.scripted.behaviour import parse_script
from providers.scripted.server import start


async def _serve(app: ScriptedApp, host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner, port = await start(app, host=host, port=port)
    sys.stdout.write(f"scripted provider on http://{host}:{port}/v1\n")
    sys.stdout.flush()
    await stopped.wait()
    await runner.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="providers.scripted", description="A scripted OpenAI-compatible server, for tests."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--script", type=Path, help="a JSON file; change it later by PUT /_script")
    options = parser.parse_args()
    try:
        script = parse_script(orjson.loads(options.script.read_bytes())) if options.script else None
        asyncio.run(_serve(ScriptedApp(script), options.host, options.port))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"scripted provider: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
