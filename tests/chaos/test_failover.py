"""A replica is promoted that had not received the newest commits: nodes say so and never mix the two histories."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from promptstore.core import keys
from promptstore.local.postgres_data import program
from promptstore.local.process import launcher
from serving import publisher
from serving.models import Root
from tests.chaos.conftest import Stage
from tests.chaos.instance import Instance, eventually
from tests.chaos.invariants import check_audit, check_decisions, check_inferences
from tests.chaos.load import Load
from tests.chaos.test_kills import check, finish, reach
from tests.chaos.watch import Watch

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.proof,
    pytest.mark.xdist_group("chaos"),
    pytest.mark.timeout(180, func_only=True),
]


def test_a_failover_that_lost_the_newest_commits_is_seen_and_survived(
    stage: Stage, watched: Watch, traffic: Load
) -> None:
    instance = stage.instance
    rollout = stage.roll_out()
    reach(rollout, 1_000)
    instance.stop("worker", "beat")  # so that the test alone decides what is lost
    with replica(instance) as directory:
        add_key(stage, "lost")
        lost = generation(stage)
        eventually(lambda: served(instance) == (lost, None), "the node serves what will be lost")
        answered = len(traffic.answered)
        instance.kill("postgres")
        connections["default"].close()
        promote_in_place(instance, directory)
    assert generation(stage) == lost - 1, "the newest commit is gone"
    eventually(lambda: served(instance) == (lost, "older"), "the node does not go back by itself")
    add_key(stage, "another")
    assert generation(stage) == lost, "the same number for something else"
    eventually(lambda: served(instance) == (lost, "conflicting"), "which the node does not take for its own")
    assert production(instance)["stale_since"]
    # What `promptctl doctor --restore` does after a backup: from here on one history counts.
    publisher.start_epoch(stage.world.cast.production.id)
    eventually(lambda: served(instance) == (generation(stage), None), "the node follows the new epoch")
    assert len(traffic.answered) > answered
    instance.start("worker", "beat")
    finish(rollout)
    check_decisions(rollout)
    check_audit(rollout)
    assert not traffic.broken
    assert not traffic.refused


def test_a_failover_that_lost_nothing_goes_on(stage: Stage, watched: Watch, traffic: Load) -> None:
    instance = stage.instance
    rollout = stage.roll_out()
    reach(rollout, 1_000)
    instance.stop("worker", "beat", "serving")  # nobody writes while the copy is made
    with replica(instance) as directory:
        instance.kill("postgres")
        connections["default"].close()
        instance.start("serving")  # from its disk
        eventually(lambda: instance.ready()["stale_since"] is not None, "the node is on its own")
        promote_in_place(instance, directory)
    instance.start("worker", "beat")
    finish(rollout)
    check(rollout, kills=1)
    check_inferences(instance, traffic, node_kills=1)
    assert production(instance)["refused"] is None


def add_key(stage: Stage, name: str) -> None:
    keys.create_service_key(
        actor=stage.world.cast.actor("owner"),
        environment=stage.world.cast.production,
        name=name,
        scopes=["serve"],
    )


def generation(stage: Stage) -> int:
    """Of the newest root of production."""
    newest = (
        Root.objects.filter(environment=stage.world.cast.production).order_by("epoch", "generation").last()
    )
    assert newest
    return newest.generation


def served(instance: Instance) -> tuple[int, str | None]:
    """Generation of production, and why a root was refused."""
    shown = production(instance)
    return shown["generation"], shown["refused"]


def production(instance: Instance) -> dict[str, Any]:
    """What the node says of it."""
    [shown] = [one for one in instance.ready()["environments"] if one["environment"] == "production"]
    return dict(shown)


@contextmanager
def replica(instance: Instance) -> Iterator[Path]:
    """A copy of the primary as it is now, streamed by `pg_basebackup`; it receives nothing after that."""
    server = instance.postgres.service()
    directory = server.directory / "replica"
    as_the_server = launcher(
        death_signal=signal.SIGKILL,
        account=server.account,
        enter_any_directory=server.enter_any_directory,
    )
    backup = [
        str(program("pg_basebackup")), "--pgdata", str(directory), "--wal-method", "stream",
        "--checkpoint", "fast", "--dbname", instance.postgres.superuser_url(),
    ]  # fmt: skip
    done = subprocess.run(
        [*as_the_server, *backup],
        cwd=server.directory,
        env=dict(server.environment),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    (directory / "standby.signal").touch()
    yield directory
    for left in (directory, directory.with_name("dead")):
        shutil.rmtree(left, ignore_errors=True)


def promote_in_place(instance: Instance, directory: Path) -> None:
    """The replica takes the dead primary's place and address, and becomes a primary."""
    data = instance.postgres._data.path
    data.rename(directory.with_name("dead"))
    directory.rename(data)
    instance.start("postgres")
    with psycopg.connect(instance.postgres.superuser_url(), autocommit=True) as connection:
        row = connection.execute("SELECT pg_is_in_recovery(), pg_promote()").fetchone()
    assert row == (True, True)
