from __future__ import annotations

from tests.serving.conftest import RunningNode
from tests.serving.world import KEY, World, feature, key_entry, release

PATH = "/v1/features/config-assistant/resolve"


async def test_a_unit_gets_the_stable_release(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    status, headers, body = await node.get(PATH + "?unit=u1")
    assert status == 200
    assert body["feature"] == "config-assistant"
    assert body["environment"] == "production"
    assert body["generation"] == 1
    assert (body["arm"], body["reason"]) == ("stable", "static")
    assert body["release"]["version"] == "1.0.0"
    assert body["prompt"]["messages"][0]["content"] == "You suggest settings. Prompt 1.0.0."
    assert body["prompts"]["suggest"]["version"] == "1.0.0"
    assert body["model"] == {
        "name": "suggester",
        "version": "1.0.0",
        "provider": "scripted",
        "model_id": "scripted-1",
        "params": {},
    }
    assert body["config"]["limits"]["max_output_tokens"] == 200
    assert body["capture"] == {"share_bp": 10_000}
    assert headers["ETag"].startswith('"')
    assert headers["x-promptstore-pin"]
    assert "x-promptstore-stale-since" not in headers


async def test_get_and_post_give_the_same_bytes(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    _, got, first = await node.get(PATH + "?unit=%C3%BC%2B1")
    _, posted, second = await node.post(PATH, {"unit": "ü+1", "attributes": {"tier": "gold"}})
    assert first == second
    assert got["ETag"] == posted["ETag"]


async def test_a_matching_etag_is_answered_with_304_and_no_body(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    _, headers, _ = await node.get(PATH)
    for tag in (headers["ETag"], f"W/{headers['ETag']}", f'"other", {headers["ETag"]}', "*"):
        status, again, body = await node.get(PATH, headers={"If-None-Match": tag})
        assert (status, body) == (304, b"")
        assert again["ETag"] == headers["ETag"]
    await node.until_generation(world.publish(feature(stable=release("1.1.0"))))
    status, changed, _ = await node.get(PATH, headers={"If-None-Match": headers["ETag"]})
    assert status == 200
    assert changed["ETag"] != headers["ETag"]


async def test_weights_are_sticky_and_a_unit_that_is_in_stays_in(world: World, node: RunningNode) -> None:
    stable, candidate = release("1.0.0"), release("1.1.0")
    units = [f"user-{n}" for n in range(300)]

    async def candidates(weight_bp: int) -> set[str]:
        document = feature(stable=stable, candidate=candidate, candidate_bp=weight_bp)
        await node.until_generation(world.publish(document))
        return {unit for unit in units if (await node.get(f"{PATH}?unit={unit}"))[2]["arm"] == "candidate"}

    few, more, everyone = await candidates(1_000), await candidates(5_000), await candidates(10_000)
    assert 10 <= len(few) <= 55
    assert few < more < everyone == set(units)
    assert await candidates(1_000) == few


async def test_a_call_without_a_unit_gets_stable(world: World, node: RunningNode) -> None:
    document = feature(stable=release("1.0.0"), candidate=release("1.1.0"), candidate_bp=10_000)
    await node.until_generation(world.publish(document))
    for path in (PATH, PATH + "?unit="):
        _, _, body = await node.get(path)
        assert (body["arm"], body["reason"]) == ("stable", "no_unit")


async def test_withdrawn_units_get_safe_mode_and_nothing_to_call(world: World, node: RunningNode) -> None:
    document = feature(
        stable=release("1.0.0"),
        candidate=release("1.1.0"),
        withdrawn_bp=10_000,
        on_withdraw="safe_mode",
        state="rolled_back",
    )
    await node.until_generation(world.publish(document))
    _, _, body = await node.get(PATH + "?unit=u1")
    assert (body["arm"], body["reason"]) == ("safe", "withdrawn")
    assert body["prompt"] is None
    assert body["prompts"] == {}
    assert body["model"] is None
    assert body["config"]["safe_mode"]["template"]


async def test_withdrawn_units_get_stable_where_the_rollout_says_so(world: World, node: RunningNode) -> None:
    document = feature(
        stable=release("1.0.0"), candidate=release("1.1.0"), withdrawn_bp=10_000, state="rolled_back"
    )
    await node.until_generation(world.publish(document))
    _, _, body = await node.get(PATH + "?unit=u1")
    assert (body["arm"], body["reason"], body["release"]["version"]) == ("stable", "withdrawn", "1.0.0")


async def test_a_pin_keeps_the_arm_while_the_rollout_lives_and_not_longer(
    world: World, node: RunningNode
) -> None:
    stable, candidate = release("1.0.0"), release("1.1.0")
    await node.until_generation(
        world.publish(feature(stable=stable, candidate=candidate, candidate_bp=10_000))
    )
    _, headers, _ = await node.get(PATH + "?unit=u1")
    pin = {"x-promptstore-pin": headers["x-promptstore-pin"]}

    await node.until_generation(world.publish(feature(stable=stable, candidate=candidate, candidate_bp=1)))
    _, _, unpinned = await node.get(PATH + "?unit=u1")
    _, _, pinned = await node.get(PATH + "?unit=u1", headers=pin)
    _, _, pinned_in_body = await node.post(PATH, {"unit": "u1", "pin": headers["x-promptstore-pin"]})
    assert unpinned["arm"] == "stable"
    assert (pinned["arm"], pinned["reason"]) == ("candidate", "pinned")
    assert pinned_in_body == pinned

    for document in (
        feature(
            stable=stable, candidate=candidate, candidate_bp=1, withdrawn_bp=10_000, state="rolling_back"
        ),
        feature(
            stable=stable,
            candidate=candidate,
            candidate_bp=1,
            rollout_id="0192f0c1-0000-7000-8000-00000000000b",
        ),
        feature(stable=stable),
    ):
        await node.until_generation(world.publish(document))
        _, _, body = await node.get(PATH + "?unit=u1", headers=pin)
        assert body["arm"] == "stable"


async def test_a_forged_pin_pins_nothing(world: World, node: RunningNode) -> None:
    document = feature(stable=release("1.0.0"), candidate=release("1.1.0"), candidate_bp=1)
    await node.until_generation(world.publish(document))
    for pin in ("x", "a.b", "é" * 9, "W10.AAAA", "." * 700):
        status, _, body = await node.post(PATH, {"unit": "u1", "pin": pin})
        assert (status, body["arm"]) == (200, "stable")


async def test_a_feature_without_a_release_says_so(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=None)))
    status, headers, body = await node.get(PATH + "?unit=u1")
    assert (status, body["code"], body["field"]) == (404, "no_active_release", "feature")
    assert headers["Content-Type"] == "application/problem+json"


async def test_the_first_rollout_has_safe_mode_as_its_other_arm(world: World, node: RunningNode) -> None:
    await node.until_generation(
        world.publish(feature(stable=None, candidate=release("1.0.0"), candidate_bp=5_000))
    )
    arms = {(await node.get(f"{PATH}?unit=u{n}"))[2]["arm"] for n in range(40)}
    assert arms == {"candidate", "safe"}


async def test_one_node_serves_several_environments_each_to_its_own_key(
    world: World, node: RunningNode
) -> None:
    other = "ps_" + "s" * 43
    world.publish(feature(stable=release("2.0.0")), environment="staging", keys=key_entry(other))
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    _, _, production = await node.get(PATH, headers={"Authorization": f"Bearer {KEY}"})
    _, _, staging = await node.get(PATH, headers={"Authorization": f"Bearer {other}"})
    assert (production["environment"], production["release"]["version"]) == ("production", "1.0.0")
    assert (staging["environment"], staging["release"]["version"]) == ("staging", "2.0.0")
