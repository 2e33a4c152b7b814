from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptstore.local.records import TOKEN_VARIABLE, ProcessRecord, read_records, started_at, stop_leftovers


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        env={**os.environ, TOKEN_VARIABLE: "ours"},
    )
    yield process
    process.kill()
    process.wait()


def record_of(process: subprocess.Popen[bytes]) -> ProcessRecord:
    started = started_at(process.pid)
    assert started is not None
    return ProcessRecord("web", process.pid, started, "ours", int(signal.SIGTERM))


def test_a_leftover_is_stopped_and_its_record_forgotten(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    record_of(sleeper).write(tmp_path)
    assert stop_leftovers(tmp_path) == ["web"]
    assert sleeper.wait(timeout=5) == -signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change", [{"started": "another boot:1"}, {"started": "0", "token": "theirs"}, {"pid": os.getpid()}]
)
def test_a_process_that_is_not_provably_ours_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], change: dict[str, str]
) -> None:
    record = dataclasses.replace(record_of(sleeper), token="theirs")
    dataclasses.replace(record, **change).write(tmp_path)  # type: ignore[arg-type]
    assert stop_leftovers(tmp_path) == []
    assert sleeper.poll() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "4711", '{"pid": 1}'])
def test_a_file_that_is_no_record_proves_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "web.pid").write_text(text)
    assert read_records(tmp_path) == []


def test_a_process_that_ended_has_no_start(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()
    assert started_at(sleeper.pid) is None
