"""Telemetry of a place that is not there any more is dropped, counted and named once."""

from __future__ import annotations

import orjson
import structlog

from tests.serving.conftest import RunningNode
from tests.serving.test_intake import event, stored
from tests.serving.world import World, feature, release


async def test_events_of_an_unknown_project_or_environment_are_counted_and_named_once(
    world: World, node: RunningNode
) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    strays = [{"project": "nobody"}] * 3 + [{"environment": "moon"}]
    with structlog.testing.capture_logs() as logs:
        for place in strays:
            node.node.spool.append(
                orjson.dumps(event(**{"project": "acme", "environment": "production", **place}))
            )
        node.node.spool.append(orjson.dumps(event(project="acme", environment="production")))
        assert len(await stored(world, node, 1)) == 1
        await node.until(lambda: node.node.drain.strays.total() == 4)
        node.node.spool.append(orjson.dumps(event(project="nobody", environment="production")))
        await node.until(lambda: node.node.drain.strays.total() == 5)
    named = [
        (line["project"], line["environment"]) for line in logs if line["event"] == "events.unknown_place"
    ]
    assert named == [("acme", "moon"), ("nobody", "production")]
    assert (node.node.drain.delivered, node.node.drain.rejected) == (1, 0)
    _, _, metrics = await node.get("/metrics")
    assert b'promptstore_serving_events_dropped_total{reason="unknown_place"} 5.0' in metrics
