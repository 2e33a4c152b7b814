"""Copies of answered calls: the candidate in shadow, and stable for pairs while users get the candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from providers.scripted import ScriptedServer
from serving import mirror
from serving.settings import NodeSettings
from tests.serving.conftest import RunningNode, running_node
from tests.serving.test_gateway import events_in_database
from tests.serving.test_streaming import stream, text_of
from tests.serving.world import Document, World, feature, prompt, release

STABLE, CANDIDATE = "scripted-stable", "scripted-candidate"
ALL = {"shadow_bp": 10_000}
PRICE = {"input_nanos_per_mtok": 1_000_000_000, "output_nanos_per_mtok": 1_000_000_000}
WORDS: dict[str, Any] = {"models": {STABLE: {"answer": "the old one"}, CANDIDATE: {"answer": "the new one"}}}


def old(**options: Any) -> Document:
    return release("1.0.0", **{"model_id": STABLE, "config": {"capture": {"share_bp": 0}}} | options)


def new(**options: Any) -> Document:
    return release(
        "2.0.0", **{"model_id": CANDIDATE, "config": {"capture": {"share_bp": 0}}, "price": PRICE} | options
    )


async def serve(
    world: World,
    node: RunningNode,
    scripted: ScriptedServer,
    *,
    copies: Mapping[str, int] = ALL,
    stable: Document | None = None,
    candidate: Document | None = None,
    **rollout: Any,
) -> None:
    document = feature(stable=stable or old(), candidate=candidate or new(), copies=copies, **rollout)
    await node.until_generation(world.publish(document, base_url=scripted.base_url))


def by_arm(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["arm"]: event for event in events}


async def test_a_call_that_stable_answered_is_answered_once_more_and_nobody_sees_it(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script(WORDS)
    status, headers, body = await node.chat(unit="u1", session="s-1")
    assert status == 200
    assert body["choices"][0]["message"]["content"] == "the old one"
    assert headers["x-promptstore-arm"] == "stable"
    events = by_arm(await events_in_database(world, node, 2))
    shown, copy = events["stable"], events["shadow"]
    assert shown["paired_with"] is None
    assert copy["paired_with"] == shown["id"] == headers["x-promptstore-inference"]
    assert copy["release_version"] == "2.0.0"
    assert copy["rollout_id"] == shown["rollout_id"]
    assert (copy["status"], copy["reason"]) == ("ok", "mirrored")
    assert (copy["unit_hash"], copy["session"], copy["trace_id"]) == (
        shown["unit_hash"], shown["session"], shown["trace_id"],
    )  # fmt: skip
    assert copy["span_id"] != shown["span_id"]
    assert copy["cost_usd_nanos"] == 1_000 * (copy["input_tokens"] + copy["output_tokens"])
    # Neither is half of a pair, so no text of either is kept.
    assert (shown["output_redacted"], copy["output_redacted"]) == (None, None)
    assert node.node.metrics.inferences["config-assistant", "shadow", "ok"] == 1


async def test_of_a_pair_both_answers_are_kept_redacted(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, copies=ALL | {"pairs_bp": 10_000})
    scripted.script(WORDS | {"default": {}})
    await node.chat(prompt_variables={"service": "mail someone@example.org"})
    events = by_arm(await events_in_database(world, node, 2))
    assert events["stable"]["output_redacted"] == "the old one"
    assert events["shadow"]["output_redacted"] == "the new one"
    assert events["stable"]["variables_redacted"] == events["shadow"]["variables_redacted"]
    assert "someone@" not in str(events["shadow"]["variables_redacted"])


async def test_the_share_is_kept_and_follows_from_the_call_alone(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, copies={"shadow_bp": 5_000})
    for _ in range(40):
        await node.chat()
    await node.until(lambda: not node.node.mirror.is_busy)
    copies = node.node.metrics.inferences["config-assistant", "shadow", "ok"]
    assert 5 <= copies <= 35, "about half of them"


@pytest.mark.parametrize("copies", [{}, {"pairs_bp": 10_000}])
async def test_without_a_shadow_nothing_of_stable_is_copied(
    world: World, node: RunningNode, scripted: ScriptedServer, copies: dict[str, int]
) -> None:
    await serve(world, node, scripted, copies=copies)
    await node.chat()
    await events_in_database(world, node, 1)
    assert len(scripted.app.recent) == 1


async def test_a_stream_is_copied_after_its_end(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"models": {STABLE: {"answer": "one two three four", "chunk_delay_ms": 30}}})
    _, _, events = await stream(node)
    assert text_of(events) == "one two three four"
    await events_in_database(world, node, 2)
    asked = [call["body"]["model"] for call in scripted.app.recent]
    assert asked == [STABLE, CANDIDATE]


async def test_a_slow_candidate_delays_nobody(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"models": {CANDIDATE: {"hang": True}}})
    for _ in range(20):
        status, _, _ = await node.chat()
        assert status == 200
    assert node.node.mirror.is_busy


async def test_what_does_not_fit_is_dropped_and_counted(
    world: World, settings: NodeSettings, scripted: ScriptedServer
) -> None:
    small = replace(settings, mirror_at_once=1, mirror_queue=1)
    async with running_node(small) as node:
        await serve(world, node, scripted)
        scripted.script({"models": {CANDIDATE: {"hang": True}}})
        for _ in range(5):
            await node.chat()
        assert node.node.metrics.copies_dropped["config-assistant", "full"] == 3
        _, _, text = await node.get("/metrics")
        assert (
            b'promptstore_serving_copies_dropped_total{feature="config-assistant",reason="full"} 3.0' in text
        )
    # On its way out it waits for none of them.
    assert node.node.metrics.copies_dropped["config-assistant", "stopped"] == 2


async def test_a_snapshot_that_ends_the_shadow_ends_what_waits(
    world: World, settings: NodeSettings, scripted: ScriptedServer
) -> None:
    async with running_node(replace(settings, mirror_at_once=1)) as node:
        await serve(world, node, scripted)
        scripted.script({"models": {CANDIDATE: {"latency_ms": 400}}})
        for _ in range(3):
            await node.chat()
        await serve(world, node, scripted, copies={})
        await node.until(lambda: not node.node.mirror.is_busy)
        assert node.node.metrics.copies_dropped["config-assistant", "outdated"] == 2
        events = await events_in_database(world, node, 4)
        assert [event["arm"] for event in events].count("shadow") == 1


OTHER_INPUT = prompt(
    "2.0.0",
    input_schema={"type": "object", "properties": {"host": {"type": "string"}}, "required": ["host"]},
    messages=[{"role": "user", "content": "{{ host }}"}],
)


def filtered(**banned: str) -> dict[str, Any]:
    return {"config": {"policy": {"mode": "buffer", "banned": [{"id": "new", **banned}], "message": "No."}}}


# The candidate, what the models say, and how its copy ends.
FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str | None]] = {
    "a model that fails": ({}, {CANDIDATE: {"status": 500}}, "error", "upstream_unavailable"),
    "variables that do not fit": ({"prompt_body": OTHER_INPUT}, {}, "error", "unknown_variable"),
    "a policy hit": (filtered(pattern="the new"), WORDS["models"], "policy_blocked", None),
    "a policy that cannot be evaluated": (
        filtered(pattern=" "),
        WORDS["models"],
        "error",
        "release_unusable",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_a_fault_of_the_candidate_is_recorded_and_reaches_nobody(
    world: World, node: RunningNode, scripted: ScriptedServer, what: str
) -> None:
    options, script, status, code = FAULTS[what]
    await serve(world, node, scripted, candidate=new(**options))
    scripted.script({"models": {**script, STABLE: {"answer": "fine"}}})
    answered, headers, body = await node.chat()
    assert (answered, headers["x-promptstore-arm"]) == (200, "stable")
    assert body["choices"][0]["finish_reason"] == "stop"
    copy = by_arm(await events_in_database(world, node, 2))["shadow"]
    assert (copy["status"], copy["error_code"] or None) == (status, code)


async def test_a_defect_of_the_node_is_counted_and_ends_no_other_copy(
    world: World, node: RunningNode, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve(world, node, scripted)
    scripted.script(WORDS)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(mirror, "check_variables", broken)
        assert (await node.chat(unit="u1"))[0] == 200
        dropped = node.node.metrics.copies_dropped
        await node.until(lambda: dropped["config-assistant", "failed"] == 1)
    assert (await node.chat(unit="u2"))[0] == 200
    events = await events_in_database(world, node, 3)
    assert sorted(event["arm"] for event in events) == ["shadow", "stable", "stable"]


async def test_a_failure_of_stable_is_copied_too_and_a_fallback_is_not(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    breaker = {
        "failure_ratio_bp": 5_000, "min_calls": 1, "window_s": 30, "open_s": 20, "half_open_calls": 1,
        "cache_max_age_s": 600, "fallbacks": ["template"],
    }  # fmt: skip
    await serve(world, node, scripted, stable=old(config={"breaker": breaker}))
    scripted.script({"models": {STABLE: {"status": 500}}})
    assert (await node.chat())[0] == 502
    status, headers, _ = await node.chat()
    assert (status, headers["x-promptstore-fallback"]) == (200, "template")
    events = await events_in_database(world, node, 3)
    assert sorted((event["arm"], event["status"]) for event in events) == [
        ("safe", "safe_mode"),
        ("shadow", "ok"),
        ("stable", "error"),
    ]


async def test_before_anything_is_live_the_calls_that_got_safe_mode_are_copied(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    document = feature(stable=None, candidate=new(), copies=ALL)
    await node.until_generation(world.publish(document, base_url=scripted.base_url))
    _, headers, _ = await node.chat(unit="u")
    assert headers["x-promptstore-arm"] == "safe"
    events = by_arm(await events_in_database(world, node, 2))
    assert events["shadow"]["paired_with"] == events["safe"]["id"]


async def test_in_the_canary_a_pair_asks_stable_and_counts_for_neither_arm(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, copies={"pairs_bp": 10_000}, candidate_bp=10_000)
    scripted.script(WORDS)
    _, headers, body = await node.chat(unit="u")
    assert (headers["x-promptstore-arm"], body["choices"][0]["message"]["content"]) == (
        "candidate",
        "the new one",
    )
    events = by_arm(await events_in_database(world, node, 2))
    copy = events["shadow"]
    assert (copy["release_version"], copy["reason"], copy["output_redacted"]) == (
        "1.0.0",
        "paired",
        "the old one",
    )
    assert events["candidate"]["output_redacted"] == "the new one"


async def test_copies_take_nothing_of_a_features_rate(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    limits = {"max_output_tokens": 200, "timeout_ms": 5_000, "rate_per_s": 3, "max_input_bytes": 100_000}
    await serve(
        world, node, scripted, stable=old(config={"limits": limits}), candidate=new(config={"limits": limits})
    )
    assert [(await node.chat())[0] for _ in range(3)] == [200] * 3
    await node.until(lambda: not node.node.mirror.is_busy)
    assert node.node.metrics.inferences["config-assistant", "shadow", "ok"] == 3


async def test_who_went_away_was_not_answered_and_is_not_copied(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"models": {STABLE: {"hang": True}}})
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.3):
            await node.chat()
    (event,) = await events_in_database(world, node, 1)
    assert event["error_code"] == "client_closed"


async def test_a_share_that_is_none_makes_a_document_malformed(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, copies={})
    document = feature(stable=old(), candidate=new(), copies={"shadow_bp": 10_001})
    await node.until_generation(world.publish(document, base_url=scripted.base_url))
    (environment,) = node.node.holder.current.environments.values()
    assert "config-assistant" in environment.unread
