from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.spool import DropReason, LossReason, Spool, SpoolLockedError


def events_of(spool: Spool) -> list[int]:
    numbers: list[int] = []
    while batch := spool.read(max_events=7):
        numbers += [orjson.loads(line)["n"] for line in batch.events]
        spool.acknowledge(batch)
    return numbers


def test_events_come_back_in_order_and_once(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", segment_bytes=60) as spool:
        for n in range(25):
            assert spool.append({"n": n}) is None
        assert events_of(spool) == list(range(25))
        assert spool.read() is None
        assert spool.depth_bytes == 0


def test_unacknowledged_events_are_given_again_also_after_a_restart(tmp_path: Path) -> None:
    with Spool(tmp_path / "s") as spool:
        for n in range(5):
            spool.append({"n": n})
        first = spool.read(max_events=2)
        assert first is not None
        spool.acknowledge(first)
        assert spool.read() is not None
    with Spool(tmp_path / "s") as spool:
        spool.append({"n": 5})
        assert events_of(spool) == [2, 3, 4, 5]


def test_a_full_spool_drops_the_new_event_and_counts_it(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", max_bytes=100, segment_bytes=40) as spool:
        outcomes = [spool.append({"n": n}) for n in range(30)]
        accepted = outcomes.count(None)
        assert 0 < accepted < 30
        assert spool.dropped[DropReason.FULL] == 30 - accepted
        assert events_of(spool) == list(range(accepted))
        assert spool.append({"n": 99}) is None


def test_an_oversized_event_is_dropped_and_counted(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", max_event_bytes=20) as spool:
        assert spool.append({"n": "x" * 50}) is DropReason.TOO_LARGE
        assert spool.dropped == {DropReason.TOO_LARGE: 1}


def test_a_torn_last_line_is_skipped_and_counted(tmp_path: Path) -> None:
    with Spool(tmp_path / "s") as spool:
        spool.append({"n": 1})
    segment = max((tmp_path / "s").glob("*.jsonl"))
    with segment.open("ab") as file:
        file.write(b'{"n": 2, "half')
    with Spool(tmp_path / "s") as spool:
        assert spool.lost == {LossReason.TORN: 1}
        spool.append({"n": 3})
        assert events_of(spool) == [1, 3]


def test_a_line_that_is_no_json_is_skipped_and_counted_once(tmp_path: Path) -> None:
    with Spool(tmp_path / "s") as spool:
        spool.append({"n": 1})
        spool.append(b"\x00\x00\x00")
        spool.append({"n": 2})
        spool.read()
        assert events_of(spool) == [1, 2]
        assert spool.lost == {LossReason.CORRUPT: 1}


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    with Spool(tmp_path / "s"), pytest.raises(SpoolLockedError):
        Spool(tmp_path / "s")


def test_a_lost_position_file_only_repeats_events(tmp_path: Path) -> None:
    with Spool(tmp_path / "s") as spool:
        spool.append({"n": 1})
        batch = spool.read()
        spool.append({"n": 2})
        assert batch is not None
        spool.acknowledge(batch)
    (tmp_path / "s" / "position").write_text("garbage")
    with Spool(tmp_path / "s") as spool:
        assert events_of(spool) == [1, 2]


def test_appending_from_threads_while_reading_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", segment_bytes=500) as spool:

        def write(start: int) -> None:
            for n in range(start, start + 200):
                spool.append({"n": n})
                if n % 50 == 0:
                    spool.sync()

        threads = [threading.Thread(target=write, args=(start,)) for start in (0, 1000, 2000)]
        for thread in threads:
            thread.start()
        seen: list[int] = []
        while any(thread.is_alive() for thread in threads):
            seen += events_of(spool)
        seen += events_of(spool)
        assert sorted(seen) == [*range(200), *range(1000, 1200), *range(2000, 2200)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.sampled_from(["append", "read", "ack", "reopen", "tear"]), max_size=40))
def test_any_sequence_of_operations_delivers_every_accepted_event_in_order(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory, segment_bytes=40)
    accepted: list[int] = []
    delivered: list[int] = []
    for n, action in enumerate(actions):
        if action == "append":
            assert spool.append({"n": n}) is None
            accepted.append(n)
        elif action == "read":
            spool.read(max_events=2)
        elif action == "ack" and (batch := spool.read(max_events=2)):
            delivered += [orjson.loads(line)["n"] for line in batch.events]
            spool.acknowledge(batch)
        elif action in {"reopen", "tear"}:
            spool.close()
            if action == "tear":
                with max(directory.glob("*.jsonl")).open("ab") as file:
                    file.write(b'{"torn')
            spool = Spool(directory, segment_bytes=40)
    delivered += events_of(spool)
    spool.close()
    assert delivered == accepted


WRITER = """
import sys
from pathlib import Path
from telemetry.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=2000)
n = 0
while True:
    assert spool.append({"n": n, "pad": "x" * (n % 300)}) is None
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
    n += 1
"""


@pytest.mark.parametrize("read_lines", [1, 137, 900])
def test_kill_9_during_append_loses_nothing_acknowledged(tmp_path: Path, read_lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "s")], stdout=subprocess.PIPE, cwd=Path.cwd(), text=True
    )
    assert process.stdout is not None
    for _ in range(read_lines):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = read_lines + len([line for line in process.stdout.read().splitlines() if line])
    process.stdout.close()
    process.wait()
    with Spool(tmp_path / "s") as spool:
        numbers = events_of(spool)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= acknowledged
