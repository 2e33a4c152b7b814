"""A serving node whose own disk is full: answers go on, telemetry is dropped and counted, and room heals it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry.spool import DropReason, Spool
from tests.chaos.small_disk import fill, small_disk
from tests.serving.conftest import RunningNode, database_url, node, running_node, scripted, settings, world
from tests.serving.world import World, feature, release
from tests.telemetry.inference_events import event

__all__ = ["database_url", "node", "running_node", "scripted", "settings", "world"]
pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("commits")]


@pytest.fixture(autouse=True)
def fit_for_the_next() -> None:
    """These tests need no instance."""


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow: what a full disk is for whoever writes, without the rights to fill one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_does_not_fit_is_counted_and_what_fitted_is_delivered(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        assert spool.append(event(id="1")) is None
        with no_room():
            assert spool.append(event(id="2")) is DropReason.DISK_ERROR
            batch = spool.read()
            assert batch
            spool.acknowledge(batch)
            assert not given(spool), "what is delivered is not given again"
        assert spool.append(event(id="3")) is None
        batch = spool.read()
        assert batch
        assert [b'"id":"3"' in one for one in batch.events] == [True]
        spool.acknowledge(batch)
    assert (spool.accepted, spool.dropped[DropReason.DISK_ERROR]) == (2, 1)
    with Spool(tmp_path) as spool:
        assert not given(spool), "the position was written once there was room"


def given(spool: Spool) -> list[bytes]:
    batch = spool.read()
    return list(batch.events) if batch else []


def test_a_spool_that_filled_its_disk_frees_it_by_delivering(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", megabytes=1) as disk,
        Spool(disk / "spool", segment_bytes=200_000) as spool,
    ):
        while spool.append(event()) is None:
            pass
        fill(disk)
        assert spool.dropped.keys() == {DropReason.DISK_ERROR}
        delivered = 0
        while batch := spool.read(max_events=50):
            delivered += len(batch.events)
            spool.acknowledge(batch)
        assert delivered == spool.accepted
        assert spool.append(event()) is None


async def test_a_node_without_room_answers_and_heals_with_room(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    with no_room():
        generation = world.publish(feature(stable=release("1.1.0")))
        await node.until_generation(generation)
        _, _, body = await node.get("/v1/features/config-assistant/resolve?unit=u1")
        assert body["release"]["version"] == "1.1.0"
        assert (await node.chat())[0] == 502, "answered, if only that its provider is away"
        await node.until(lambda: node.node.spool.dropped[DropReason.DISK_ERROR])
        _, _, metrics = await node.get("/metrics")
        assert b'promptstore_serving_events_dropped_total{reason="disk_error"}' in metrics
    await node.chat()
    await node.until(lambda: world.query("SELECT 1 FROM telemetry_inference"), within_s=20)
    assert not node.node.dead_tasks
    saved = node.node.settings.home / "state" / "manifest.json"
    await node.until(lambda: saved.exists() and node.node.feed._saved is node.node.holder.current)
