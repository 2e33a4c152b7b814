from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.conftest import ROOT

CHILD = """
from promptstore.local.parent import Parent, stop_with_parent
from promptstore.local.stopping import StopSignals
stop_with_parent()
signals = StopSignals(parent=Parent())
print("READY", flush=True)
while not signals.count:
    signals.wait(0.1)
print("STOPPED", flush=True)
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A `make` in a process group of its own whose recipe has become our program."""
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "Makefile").write_text('run:\n\t@exec "$(PYTHON)" child.py\n')
    process = subprocess.Popen(
        ["make", "run", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # A suite that runs in the background of a shell inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_what_ends_make_alone_stops_the_supervisor(
    make: subprocess.Popen[str], number: signal.Signals
) -> None:
    make.send_signal(number)
    assert make.stdout is not None
    assert make.stdout.readline() == "STOPPED\n"
