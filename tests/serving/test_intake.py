from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import orjson

from promptstore.core import clock
from promptstore.core.ids import uuid7
from serving.settings import NodeSettings
from tests.serving.conftest import RunningNode, running_node
from tests.serving.world import World, feature, release

PATH = "/v1/telemetry"


def event(**changes: Any) -> dict[str, Any]:
    """The least a service has to send."""
    return {
        "id": str(uuid7()),
        "at": clock.now().isoformat(),
        "feature": "config-assistant",
        "release_digest": "sha256:" + "a" * 64,
        "arm": "stable",
        "status": "ok",
        "latency_ms": 12.5,
    } | changes


async def stored(world: World, node: RunningNode, count: int) -> list[dict[str, Any]]:
    query = "SELECT to_jsonb(i) FROM telemetry_inference i ORDER BY id"
    rows = await node.until(lambda: len(rows := world.query(query)) >= count and rows)
    return [row[0] for row in rows]


async def test_a_batch_is_accepted_stored_and_bound_to_the_keys_environment(
    world: World, node: RunningNode
) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    sent = [event(), event(arm="candidate", unit="user-7", latency_ms=3)]
    status, _, body = await node.post(PATH, {"events": sent})
    assert (status, body["accepted"], body["rejected"]) == (202, 2, 0)
    first, second = await stored(world, node, 2)
    assert first["environment_id"] == str(world.environments["production"])
    assert (first["node"], first["generation"]) == ("node-1", 1)
    assert len(second["unit_hash"]) == 64
    assert "user-7" not in orjson.dumps(second).decode()
    _, _, rollups = await node.get("/metrics")
    assert b'promptstore_serving_intake_events_total{outcome="accepted"} 2.0' in rollups
    (counted,) = world.query("SELECT sum(count) FROM telemetry_rollup")
    assert counted == (2,)


async def test_raw_texts_are_redacted_on_arrival(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    raw = event(variables={"mail": "a@b.example"}, output="call +49 30 12345678")
    again = event(variables_redacted={"mail": "c@d.example"}, output_redacted="e@f.example")
    status, _, _ = await node.post(PATH, {"events": [raw, again]})
    assert status == 202
    first, second = await stored(world, node, 2)
    assert first["variables_redacted"] == {"mail": "[redacted:email]"}
    assert first["output_redacted"] == "call [redacted:phone]"
    assert second["variables_redacted"] == {"mail": "[redacted:email]"}
    assert second["output_redacted"] == "[redacted:email]"


async def test_faulty_events_are_named_and_the_others_taken(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    old = (clock.now() - timedelta(days=30)).isoformat()
    faulty = [
        event(id="not-a-uuid"),
        event(latency_ms=-1),
        event(feature="nope"),
        event(project="umbrella"),
        event(environment="staging"),
        event(at=old),
        event(status="great"),
        event(typo=1),
        event(policy_hit="yes"),
        event(unit="x" * 300),
        "text",
    ]
    status, _, body = await node.post(PATH, {"events": [*faulty, event()]})
    assert (status, body["accepted"], body["rejected"]) == (202, 1, len(faulty))
    named = {error["index"]: error["field"] for error in body["errors"]}
    assert [named[index] for index in range(len(faulty))] == [
        "id", "latency_ms", "feature", "project", "environment", "at", "status", "typo", "policy_hit", "unit", "",
    ]  # fmt: skip


async def test_sending_a_batch_again_counts_nothing_twice(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    batch = {"events": [event() for _ in range(20)]}
    for _ in range(3):
        assert (await node.post(PATH, batch))[0] == 202
    marker = event()
    await node.post(PATH, {"events": [marker]})
    await node.until(lambda: world.query("SELECT 1 FROM telemetry_inference WHERE id = %s", marker["id"]))
    assert len(await stored(world, node, 21)) == 21
    assert world.query("SELECT sum(count) FROM telemetry_rollup") == [(21,)]


async def test_a_full_spool_says_try_again_and_drops_are_counted(
    world: World, settings: NodeSettings
) -> None:
    async with running_node(settings) as node:
        await node.until_generation(world.publish(feature(stable=release())))
    away = dataclasses.replace(settings, database_url="postgresql://x@127.0.0.1:1/x", spool_max_bytes=4_000)
    async with running_node(away) as node:
        batch = {"events": [event() for _ in range(40)]}
        status, headers, body = await node.post(PATH, batch)
        assert (status, body["code"]) == (429, "spool_full")
        assert body["accepted"] + body["dropped"] == 40
        assert body["accepted"] > 0
        assert headers["Retry-After"] == "5"
        _, _, metrics = await node.get("/metrics")
        assert (
            f'promptstore_serving_events_dropped_total{{reason="full"}} {body["dropped"]}.0'.encode()
            in metrics
        )


async def test_an_event_the_database_cannot_take_is_set_aside_and_holds_nothing_up(
    world: World, node: RunningNode
) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    complete = orjson.dumps
    good = [event(project="acme", environment="production") for _ in range(5)]
    node.node.spool.append(complete(good[0]))
    node.node.spool.append(complete(event(project="acme", environment="production", latency_ms="soon")))
    node.node.spool.append(b'{"no": "id"}')
    for other in good[1:]:
        node.node.spool.append(complete(other))
    assert len(await stored(world, node, 5)) == 5
    await node.until(lambda: node.node.drain.rejected == 2)
    rejected = (node.node.settings.home / "rejected.jsonl").read_text().splitlines()
    assert len(rejected) == 2
