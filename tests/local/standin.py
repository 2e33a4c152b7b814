"""A child for supervisor tests: `python standin.py [--ready FILE] [--serve PORT] [--die-after S] [--stubborn]`.

It appends what happens to it to `--journal`, and never ends by itself unless told to.
"""

# ruff: noqa: T201 - a program that speaks to the tests
from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--ready", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--exit-code", type=int)
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--grandchild", action="store_true")
    options = parser.parse_args()

    def note(what: str) -> None:
        with options.journal.open("a") as journal:
            journal.write(f"{options.name} {what} {os.getpid()}\n")

    def on_term(number: int, frame: object) -> None:
        note("asked-to-stop")
        if not options.stubborn:
            sys.exit(0)

    signal.signal(signal.SIGTERM, on_term)
    note("started")
    print(f"{options.name} speaks", flush=True)
    if options.exit_code is not None:
        print(f"{options.name} cannot go on", file=sys.stderr)
        sys.exit(options.exit_code)
    if options.grandchild:
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with options.journal.open("a") as journal:
            journal.write(f"{options.name} grandchild {grandchild.pid}\n")
    listener = None
    if options.port:
        listener = socket.create_server(("127.0.0.1", options.port))
    if options.ready:
        options.ready.touch()
    while True:
        time.sleep(0.05)
        assert listener is None or listener.fileno() >= 0


if __name__ == "__main__":
    main()
