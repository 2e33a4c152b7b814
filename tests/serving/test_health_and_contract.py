from __future__ import annotations

import orjson
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from serving.openapi import ERROR_CODES, document
from serving.routes import FIXED
from tests.serving.conftest import RunningNode
from tests.serving.world import World, feature, release


def test_the_contract_is_valid_openapi_and_names_every_route_and_code() -> None:
    contract = document()
    validate(contract)
    assert set(FIXED) <= set(contract["paths"])
    assert len(contract["paths"]) == len(FIXED) + 3
    for code in ERROR_CODES:
        assert f"`{code}`" in contract["info"]["description"]


async def test_health_metrics_and_contract_need_no_key(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    await node.get("/v1/features/config-assistant/resolve")
    async with node.client.get(node.url + "/livez") as response:
        assert (response.status, await response.json()) == (200, {"status": "alive"})
    async with node.client.get(node.url + "/readyz") as response:
        ready = await response.json()
        assert (response.status, ready["status"], ready["stale_since"]) == (200, "ready", None)
        assert ready["environments"][0]["generation"] == 1
    async with node.client.get(node.url + "/openapi.json") as response:
        assert orjson.loads(await response.read()) == orjson.loads(orjson.dumps(document()))
    async with node.client.get(node.url + "/metrics") as response:
        families = {family.name: family for family in text_string_to_metric_families(await response.text())}
    labels = {"project": "acme", "environment": "production"}
    assert [s.value for s in families["promptstore_serving_generation"].samples if s.labels == labels] == [1]
    assert [s.value for s in families["promptstore_serving_stale_seconds"].samples if s.labels == labels] == [
        0
    ]
    resolved = [
        s
        for s in families["promptstore_serving_requests"].samples
        if s.labels == {"route": "resolve", "status": "200"}
    ]
    assert resolved[0].value == 1
    assert {"promptstore_serving_request_seconds", "promptstore_serving_spool_bytes"} <= families.keys()


async def test_every_error_code_that_tests_meet_is_in_the_contract(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    for path in (
        "/v1/features/nope/resolve",
        "/v1/nothing",
        "/v1/prompts/nope",
        "/v1/features/config-assistant/resolve?unit=%00",
    ):
        status, _, body = await node.get(path)
        assert ERROR_CODES[body["code"]][0] == status
