"""`python -m promptstore.local`: run everything on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from pathlib import Path

from promptstore.local.config import LocalConfig, read_config
from promptstore.local.environment import publish, published
from promptstore.local.errors import LocalError, StopRequested
from promptstore.local.home import Home
from promptstore.local.lock import HomeLock
from promptstore.local.parent import Parent, stop_with_parent
from promptstore.local.plan import build_plan
from promptstore.local.ports import require_free
from promptstore.local.progress import Progress
from promptstore.local.records import stop_leftovers
from promptstore.local.stopping import StopSignals
from promptstore.local.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]


def run(config: LocalConfig, progress: Progress, signals: StopSignals) -> None:
    """Start the instance, say where it is, keep it running, stop it. Raises `LocalError`."""
    began = time.monotonic()
    # Logs, spools and keys are for this user alone, in whatever child writes them.
    os.umask(0o077)
    home = Home.open(config.home)
    lock = HomeLock(home.run / "lock")
    lock.acquire(waiting=lambda: progress.line("Waiting for the previous run to stop …"), pause=signals.pause)
    if stopped := stop_leftovers(home.run):
        progress.line(f"Stopped what an earlier run left behind: {', '.join(stopped)}")
    for variable, port in (("PORT", config.port), ("SERVE_PORT", config.serve_port)):
        require_free(variable, host=config.bind, port=port)
    plan = build_plan(config, home=home, root=ROOT, environ=os.environ)
    progress.line(f"Promptstore starts; its data is in {home.path}")

    def ready() -> None:
        publish(plan.environment, home=home)
        for note in plan.notes:
            progress.line(f"  ! {note}")
        progress.line(f"Ready after {time.monotonic() - began:.1f} s.")
        progress.line(f"  Console  {config.console_url}")
        progress.line(f"  Serving  {config.serving_url}")
        if home.demo_file.exists():
            progress.line(f"  Demo users, passwords and keys are in {home.demo_file}")
        progress.line(f"  Logs are in {home.logs}. Ctrl-C stops everything.")

    def stopping() -> None:
        lock.stopping()
        published(home).unlink(missing_ok=True)
        progress.line("Stopping …")

    Supervisor(plan.steps, home=home, progress=progress, signals=signals).run(ready=ready, stopping=stopping)
    progress.line("Stopped.")


def print_environment(config: LocalConfig) -> None:
    """Print what a shell needs to talk to the running instance, with the owner's rights.

    Raises `LocalError` if none runs.
    """
    file = published(Home(config.home))
    if not file.exists():
        raise LocalError(f"no instance runs on {config.home}; start one with `make run`")
    for name, value in json.loads(file.read_text(encoding="utf-8")).items():
        print(f"export {name}={shlex.quote(value)}")


def main() -> int:
    """Exit codes: 0 stopped as asked, 1 could not start or a step failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="python -m promptstore.local", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "env"), default="run")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the starting process dies")
    options = parser.parse_args()
    if options.stop_with_parent:
        stop_with_parent()
    progress = Progress(sys.stdout)
    try:
        config = read_config(os.environ, root=ROOT)
        if options.command == "env":
            print_environment(config)
        else:
            signals = StopSignals(parent=Parent() if options.stop_with_parent else None)
            run(config, progress, signals)
    except StopRequested:
        progress.line("Stopped.")
    except LocalError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
