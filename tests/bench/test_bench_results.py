"""What the benchmarks make of their samples."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bench.gateway import differences, quantiles_ms
from bench.memory import Sample, growth
from bench.processes import Memory, family, memory_of
from bench.report import BEGIN, END, latest, replaced, table


def test_pairs_with_a_failed_call_are_left_out() -> None:
    assert differences([5.0, None, 9.0], [1.0, 2.0, None]) == [4.0]


def test_quantiles_are_in_milliseconds_and_of_nothing_infinite() -> None:
    assert quantiles_ms([1_000.0 * n for n in range(1, 101)]) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}
    assert quantiles_ms([])["p99"] == float("inf")


def _series(per_minute: float, *, minutes: int = 30) -> list[Sample]:
    """100 MB that grow by `per_minute`, after a first minute in which everything doubles."""
    return [
        Sample(
            at_s=at,
            memory=Memory(
                resident=0, private=int(1e8 * (min(1, 0.5 + at / 120)) + 1e6 * per_minute * at / 60)
            ),
        )
        for at in range(5, 60 * minutes, 5)
    ]


@pytest.mark.parametrize(("per_minute", "share"), [(0.0, 0.0), (0.1, 0.03), (1.0, 0.30)])
def test_growth_is_a_share_of_what_is_held_and_the_warm_up_does_not_count(
    per_minute: float, share: float
) -> None:
    found = growth(_series(per_minute), seconds=1_800)
    assert found["growth"] == pytest.approx(share, abs=0.012)
    assert found["growth_low"] <= found["growth"] <= found["growth_high"]


def test_a_process_is_measured_with_its_children() -> None:
    pid = os.getpid()
    assert family(pid)[0] == pid
    found = memory_of(pid)
    assert 0 < found.private <= found.resident


def _run(at: str, **values: float) -> dict[str, Any]:
    results = [
        {"name": name, "value": value, "unit": "ms", "target": "≤ 2 ms", "met": value <= 2}
        for name, value in values.items()
    ]
    return {"at": at, "machine": {"cpu": "A CPU", "cores": 2, "load_1m": 0.5}, "results": results}


def test_the_report_shows_the_latest_result_of_each_benchmark() -> None:
    runs = [_run("2026-03-02T10:00", one=1.0), _run("2026-03-02T09:00", one=5.0, two=3.0)]
    rows = table(latest(runs)).splitlines()[2:]
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| one", "1 ms", "≤ 2 ms", "met"],
        ["| two", "3 ms", "≤ 2 ms", "**missed**"],
    ]


def test_the_report_replaces_its_table_and_nothing_else() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert replaced(replaced(page, "new"), "new") == replaced(page, "new")
    with pytest.raises(ValueError, match="marks"):
        replaced("a page without marks", "new")
