from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from promptstore.local.ports import free_port
from tests.local.conftest import ROOT


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return subprocess.run(
        [sys.executable, "-m", "promptstore.local", *arguments],
        env={**inherited, **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("variable", ["PORT", "SERVE_PORT"])
def test_a_taken_port_ends_the_start_before_anything_runs(tmp_path: Path, variable: str) -> None:
    ports = {"PORT": str(free_port()), "SERVE_PORT": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports[variable] = str(listener.getsockname()[1])
        done = start(PROMPTSTORE_HOME=str(tmp_path), **ports)
    assert done.returncode == 1
    assert f"error: {variable}: port {ports[variable]} on 127.0.0.1 is taken" in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = start(PROMPTSTORE_HOME=str(tmp_path), PORT="many")
    assert done.returncode == 1
    assert "error: PORT: 'many' is not a port" in done.stderr


def test_the_environment_of_an_instance_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    done = start("env", PROMPTSTORE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "no instance runs on" in done.stderr
