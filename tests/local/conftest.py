"""Supervisors over stand-ins, run as programs of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promptstore.local.records import started_at

ROOT = Path(__file__).resolve().parents[2]


def eventually(holds: Callable[[], bool], *, within_s: float = 10.0) -> bool:
    """Ask again until it holds or time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def is_alive(pid: int) -> bool:
    """A zombie counts as dead."""
    return started_at(pid) is not None


@dataclass
class Run:
    """One supervisor process and the journal of its stand-ins."""

    home: Path
    popen: subprocess.Popen[str]

    def wait_until_ready(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            if line.startswith("READY"):
                return
        pytest.fail("the supervisor ended before it was ready")

    def end(self, within_s: float = 60.0) -> str:
        output, _ = self.popen.communicate(timeout=within_s)
        return output

    def journal(self, name: str, what: str) -> list[int]:
        """The numbers noted under a name and an event, in order."""
        file = self.home / "journal"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [int(number) for a_name, event, number in lines if (a_name, event) == (name, what)]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """`supervise(groups=[["web", "--stubborn"], …])` starts a supervisor on a home of this test."""
    runs: list[Run] = []

    def start(**plan: Any) -> Run:
        home = tmp_path / "a home"
        popen = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("supervise.py")), str(home), json.dumps(plan)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        runs.append(Run(home, popen))
        return runs[-1]

    yield start
    for run in runs:
        if run.popen.poll() is None:
            run.popen.terminate()
            run.popen.wait(timeout=15)
        if run.popen.stdout:
            run.popen.stdout.close()
