"""The clock of a replay is shared by processes and goes forwards alone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from promptstore.core import clock
from promptstore.local.config import read_config
from promptstore.local.errors import ConfigError

_READER = """
import sys
from promptstore.core import clock
for _ in sys.stdin:
    print(clock.now().isoformat(), clock.stepped_by().total_seconds(), flush=True)
"""


def test_a_step_is_seen_by_another_process_that_runs_already(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    stepped = clock.SteppedClock.create(path)
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _READER,
        ],
        env={**os.environ, clock.STEPPED_CLOCK_VARIABLE: str(path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with reader:
        seen: list[tuple[datetime, float]] = []
        for hours in (0, 48, 72):
            stepped.step(hours=hours)
            reader.stdin.write("\n")
            reader.stdin.flush()
            moment, offset = reader.stdout.readline().split()
            seen.append((datetime.fromisoformat(moment), float(offset)))
        reader.stdin.close()
    assert [offset for _, offset in seen] == [0, 48 * 3600, 120 * 3600]
    assert seen[2][0] - seen[0][0] >= timedelta(hours=120)
    assert abs(stepped.now() - seen[2][0]) < timedelta(minutes=5)


def test_time_passes_with_a_step_so_it_is_no_jump(tmp_path: Path) -> None:
    stepped = clock.SteppedClock.create(tmp_path / "clock")
    watch = clock.JumpWatch()
    with clock.use(stepped):
        for _ in range(3):
            before = clock.steady_s()
            with watch.look() as jumped:
                assert jumped is None
            stepped.step(hours=4)
            assert clock.steady_s() - before >= 4 * 3600


def test_it_never_goes_back_and_is_made_once(tmp_path: Path) -> None:
    stepped = clock.SteppedClock.create(tmp_path / "clock")
    with pytest.raises(ValueError, match="forwards"):
        stepped.step(seconds=-1)
    with pytest.raises(FileExistsError):
        clock.SteppedClock.create(tmp_path / "clock")


def test_another_file_is_no_clock(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a clock", encoding="utf-8")
    with pytest.raises(ValueError, match="no offset"):
        clock.SteppedClock(tmp_path / "notes")


def test_the_systems_clock_cannot_be_stepped() -> None:
    assert clock.stepped_by() is None


def test_an_instance_on_a_database_of_ones_own_gets_no_such_clock(tmp_path: Path) -> None:
    shared = {
        "PROMPTSTORE_HOME": str(tmp_path),
        "DATABASE_URL": "postgres://app@db/promptstore",
        "DATABASE_OWNER_URL": "postgres://owner@db/promptstore",
    }
    read_config(shared, root=tmp_path)
    with pytest.raises(ConfigError, match=clock.STEPPED_CLOCK_VARIABLE):
        read_config({**shared, clock.STEPPED_CLOCK_VARIABLE: str(tmp_path / "clock")}, root=tmp_path)
