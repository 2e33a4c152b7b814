"""The disk of Postgres is full: nothing decided is lost, answers go on, nobody runs hot, and room alone heals it."""

from __future__ import annotations

import time

import pytest
from django.db import connections

from tests.chaos.conftest import Stage
from tests.chaos.instance import eventually
from tests.chaos.invariants import check_inferences
from tests.chaos.load import Load
from tests.chaos.small_disk import fill
from tests.chaos.test_kills import check, finish, reach
from tests.chaos.watch import Watch

POSTGRES_DISK_MB = 300
FULL_FOR_S = 10
# Of both together, in that time: far above what retries write, far below what a loop without a pause does.
LOG_LINES = 2_000
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.proof,
    pytest.mark.xdist_group("chaos"),
    pytest.mark.timeout(180, func_only=True),
]


def test_a_rollout_goes_on_once_postgres_has_room_again(stage: Stage, watched: Watch, traffic: Load) -> None:
    instance = stage.instance
    rollout = stage.roll_out()
    reach(rollout, 1_000)
    written = lines(stage)
    ballast = fill(instance.postgres.directory)
    try:
        eventually(lambda: "No space left on device" in instance.log_of("postgres"), "Postgres has no room")
        eventually(lambda: instance.ready()["spool_bytes"] > 0, "telemetry waits in the spool")
        answered = len(traffic.answered)
        time.sleep(FULL_FOR_S)
        assert len(traffic.answered) > answered + 30, "the node answers without"
        assert lines(stage) - written < LOG_LINES
    finally:
        ballast.unlink()
    connections["default"].close()
    # Without room for its log, Postgres itself ends; its supervisor starts it again, whose part the test plays.
    instance.start_missing("postgres")
    finish(rollout)
    check(rollout, kills=1)
    check_inferences(instance, traffic)
    assert not traffic.broken
    assert not traffic.refused


def lines(stage: Stage) -> int:
    return sum(stage.instance.log_of(part).count("\n") for part in ("worker", "serving"))
