from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from promptstore.cli.database import ROOT
from promptstore.local.ports import free_port


@pytest.mark.real
def test_serve_runs_a_node_that_stops_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "promptstore.cli", "serve", "--port", str(port), "--name", "edge-1"],
        cwd=ROOT,
        env={**os.environ, "PROMPTSTORE_HOME": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _alive(f"http://127.0.0.1:{port}/livez", process)
        assert (tmp_path / "serving" / "edge-1").is_dir()
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) in {0, -signal.SIGTERM}


def _alive(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False
