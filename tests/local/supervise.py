"""A supervisor over stand-ins, as a program: `python supervise.py HOME '{"groups": [[{…}]], …}'`."""

# ruff: noqa: T201 - a program that speaks to the tests
from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from promptstore.local.errors import LocalError
from promptstore.local.home import Home
from promptstore.local.lock import HomeLock
from promptstore.local.progress import Progress
from promptstore.local.readiness import file_probe
from promptstore.local.records import stop_leftovers
from promptstore.local.service import Service, Step, Task
from promptstore.local.stopping import StopSignals
from promptstore.local.supervisor import Supervisor

STANDIN = Path(__file__).with_name("standin.py")


def service(home: Home, name: str, *arguments: str, timeouts_s: tuple[float, float]) -> Service:
    mark = home.run / f"{name}.ready"
    command = (sys.executable, str(STANDIN), "--journal", str(home.path / "journal"), "--name", name)
    return Service(
        name=name,
        title=name.capitalize(),
        command=(*command, "--ready", str(mark), *arguments),
        environment=dict(os.environ),
        directory=home.path,
        ready=file_probe(mark),
        ready_mark=mark,
        ready_timeout_s=timeouts_s[0],
        stop_timeout_s=timeouts_s[1],
    )


def main(path: Path, plan: dict[str, Any]) -> int:
    signals, home = StopSignals(), Home.open(path)
    lock = HomeLock(home.run / "lock")
    steps: list[Step] = []
    timeouts_s = (plan.get("ready_timeout_s", 10.0), plan.get("stop_timeout_s", 5.0))
    for group in plan.get("groups", []):
        steps.append(
            tuple(service(home, name, *arguments, timeouts_s=timeouts_s) for name, *arguments in group)
        )
    for name, *command in plan.get("tasks", []):
        steps.append(
            Task(name=name, title=name, command=tuple(command), environment=dict(os.environ), directory=path)
        )
    try:
        lock.acquire()
        if stopped := stop_leftovers(home.run):
            print(f"stopped leftovers: {' '.join(stopped)}", flush=True)
        supervisor = Supervisor(steps, home=home, progress=Progress(sys.stdout), signals=signals)
        supervisor.run(ready=lambda: print("READY", flush=True), stopping=lock.stopping)
    except LocalError as error:
        print(f"error: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
