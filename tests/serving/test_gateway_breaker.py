from __future__ import annotations

import asyncio
from typing import Any

import pytest

from providers.scripted import ScriptedServer
from registry.breaker import Fallback
from serving.breakers import Breakers
from serving.last_answers import LastAnswers
from tests.serving.conftest import RunningNode
from tests.serving.test_gateway import events_in_database
from tests.serving.test_streaming import stream, text_of
from tests.serving.world import World, feature, prompt, release

MODEL, CHEAP = "scripted-1", "scripted-small"
TEMPLATE = "Ask an administrator about nginx."
FAILING: dict[str, Any] = {"models": {MODEL: {"status": 500}}}


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks(node: RunningNode) -> Clock:
    """The time of the node's breakers and of its kept answers."""
    clock = Clock()
    node.node.breakers = Breakers(node.node.holder, node.node.metrics, now=clock)
    node.node.last_answers = LastAnswers(now=clock)
    return clock


def guarded(*fallbacks: Fallback, version: str = "1.0.0", cheap: bool = False, **options: Any) -> Any:
    breaker = {
        "failure_ratio_bp": 5_000,
        "min_calls": 2,
        "window_s": 30,
        "open_s": 20,
        "half_open_calls": 1,
        "cache_max_age_s": 600,
        "fallbacks": list(fallbacks),
    }
    config = {"breaker": breaker, **options.pop("config", {})}
    document = release(version, config=config, **options)
    if cheap:
        primary = document["models"]["primary"]
        document["models"]["cheap"] = {**primary, "name": "small", "model_id": CHEAP, "digest": "sha256:0"}
    return document


async def serve(world: World, node: RunningNode, scripted: ScriptedServer, document: Any) -> None:
    await node.until_generation(world.publish(feature(stable=document), base_url=scripted.base_url))


async def fail(node: RunningNode, scripted: ScriptedServer, **more: Any) -> None:
    scripted.script({"models": {**FAILING["models"], **more}})
    for _ in range(2):
        status, headers, body = await node.chat(unit="u1")
        assert (status, body["error"]["code"]) == (502, "upstream_unavailable")
        assert "x-promptstore-fallback" not in headers


def said(body: Any) -> str:
    return str(body["choices"][0]["message"]["content"])


async def test_a_failing_model_is_no_longer_asked_until_it_recovers(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    await fail(node, scripted)

    for _ in range(3):
        status, headers, body = await node.chat(unit="u1")
        assert (status, said(body), headers["x-promptstore-fallback"]) == (200, TEMPLATE, "template")
        assert (headers["x-promptstore-model"], headers["x-promptstore-arm"]) == ("none", "stable")
    assert scripted.calls(MODEL) == 2

    ticks.now += 20
    assert (await node.chat(unit="u1"))[0] == 502
    assert scripted.calls(MODEL) == 3
    assert said((await node.chat(unit="u1"))[2]) == TEMPLATE

    ticks.now += 20
    scripted.script({})
    for _ in range(3):
        status, headers, _ = await node.chat(unit="u1")
        assert status == 200
        assert "x-promptstore-fallback" not in headers
    assert scripted.calls(MODEL) == 3

    _, _, exposed = await node.get("/metrics")
    text = exposed.decode()
    assert 'promptstore_serving_breaker_state{environment="production",feature="config-assistant"' in text
    assert '_breaker_transitions_total{feature="config-assistant",state="open"} 2.0' in text
    assert '_fallbacks_total{feature="config-assistant",source="template"} 4.0' in text


async def test_a_fallback_is_recorded_apart_from_the_arm_it_answered_for(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    await fail(node, scripted)
    await node.chat(unit="u1")
    events = await events_in_database(world, node, 3)
    assert [(e["arm"], e["status"], e["role"], e["reason"] == "breaker", e["model"]) for e in events] == [
        ("stable", "error", "primary", False, "suggester"),
        ("stable", "error", "primary", False, "suggester"),
        ("safe", "safe_mode", "safe", True, ""),
    ]


async def test_without_fallbacks_callers_are_told_when_to_come_back(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded())
    await fail(node, scripted)
    ticks.now += 5
    status, headers, body = await node.chat(unit="u1")
    assert (status, body["error"]["code"], headers["Retry-After"]) == (503, "breaker_open", "15")
    assert scripted.calls(MODEL) == 2


async def test_the_cheap_model_answers_with_a_breaker_of_its_own(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.CHEAP, Fallback.TEMPLATE, cheap=True))
    await fail(node, scripted, **{CHEAP: {"answer": "small talk"}})
    _, headers, body = await node.chat(unit="u1")
    assert said(body) == "small talk"
    assert (headers["x-promptstore-fallback"], headers["x-promptstore-model"]) == ("cheap", "small@1.0.0")

    scripted.script({"models": {CHEAP: {"status": 503}}})
    for _ in range(5):
        _, headers, body = await node.chat(unit="u1")
        assert (said(body), headers["x-promptstore-fallback"]) == (TEMPLATE, "template")
    # One success before and one failure now: half of two calls.
    assert (scripted.calls(MODEL), scripted.calls(CHEAP)) == (0, 1)
    events = await events_in_database(world, node, 8)
    assert (events[2]["arm"], events[2]["role"], events[2]["model"]) == ("safe", "cheap", "small")


async def test_a_banned_answer_of_the_cheap_model_is_withheld_too(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    policy = {"mode": "buffer", "banned": [{"id": "x", "pattern": "small talk"}], "message": "Withheld."}
    await serve(world, node, scripted, guarded(Fallback.CHEAP, cheap=True, config={"policy": policy}))
    await fail(node, scripted, **{CHEAP: {"answer": "small talk"}})
    assert said((await node.chat(unit="u1"))[2]) == "Withheld."


async def test_the_last_good_answer_is_given_for_the_same_input_alone(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.CACHE, Fallback.TEMPLATE))
    scripted.script({"models": {MODEL: {"answer": "worker_processes"}}})
    for _ in range(2):
        assert said((await node.chat(unit="u1"))[2]) == "worker_processes"
    await fail(node, scripted)

    status, headers, body = await node.chat(unit="u2")
    assert (status, said(body), headers["x-promptstore-fallback"]) == (200, "worker_processes", "cache")
    assert "usage" not in body
    _, headers, _ = await node.chat(prompt_variables={"service": "redis"})
    assert headers["x-promptstore-fallback"] == "template"
    assert scripted.calls(MODEL) == 2
    ticks.now += 19
    _, _, events = await stream(node)
    assert text_of(events) == "worker_processes"
    recorded = await events_in_database(world, node, 7)
    assert (recorded[4]["role"], recorded[4]["arm"], recorded[4]["cost_usd_nanos"]) == ("cache", "safe", 0)


async def test_what_was_streamed_is_kept_too(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.CACHE))
    scripted.script({"models": {MODEL: {"answer": "one two three"}}})
    for _ in range(2):
        await stream(node)
    await fail(node, scripted)
    assert said((await node.chat())[2]) == "one two three"


async def test_neither_a_withheld_nor_an_invalid_nor_an_old_answer_is_given_again(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    policy = {"mode": "buffer", "banned": [{"id": "x", "pattern": "forbidden"}], "message": "Withheld."}
    schema = {"type": "object", "required": ["key"]}
    document = guarded(
        Fallback.CACHE, Fallback.TEMPLATE, config={"policy": policy}, prompt_body=prompt(output_schema=schema)
    )
    await serve(world, node, scripted, document)
    for answer in ("forbidden", "no json"):
        scripted.script({"models": {MODEL: {"answer": answer}}})
        await node.chat(unit="u1")
    await fail(node, scripted)
    assert (await node.chat(unit="u1"))[1]["x-promptstore-fallback"] == "template"

    ticks.now += 20
    scripted.script({"models": {MODEL: {"answer": '{"key": 1}'}}})
    await node.chat(unit="u1")
    ticks.now += 601
    await fail(node, scripted)
    assert (await node.chat(unit="u1"))[1]["x-promptstore-fallback"] == "template"


async def test_requests_that_the_provider_refuses_do_not_open_it(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    scripted.script({"models": {MODEL: {"status": 400}}})
    for _ in range(5):
        assert (await node.chat(unit="u1"))[0] == 502
    assert scripted.calls(MODEL) == 5


async def test_streams_that_break_off_open_it_and_the_fallback_is_streamed(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    scripted.script({"models": {MODEL: {"answer": "one two three four", "truncate": True}}})
    for _ in range(2):
        _, _, events = await stream(node)
        assert events[-1][1]["error"]["code"] == "upstream_truncated"
    status, headers, events = await stream(node)
    assert (status, text_of(events), headers["x-promptstore-fallback"]) == (200, TEMPLATE, "template")
    assert scripted.calls(MODEL) == 2


async def test_another_model_or_endpoint_revision_starts_closed(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    await fail(node, scripted)
    assert said((await node.chat())[2]) == TEMPLATE
    scripted.script({})
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE, version="1.1.0", model_id="scripted-2"))
    assert said((await node.chat())[2]) != TEMPLATE
    assert [key.model for key, _ in node.node.breakers.states()] == ["suggester@1.1.0"]


async def test_without_a_breaker_a_failing_model_is_always_asked(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, release())
    scripted.script(FAILING)
    for _ in range(5):
        assert (await node.chat(unit="u1"))[0] == 502
    assert scripted.calls(MODEL) == 5


async def test_half_open_one_trial_call_goes_out_however_many_come(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    await serve(world, node, scripted, guarded(Fallback.TEMPLATE))
    await fail(node, scripted)
    ticks.now += 20
    scripted.script({"models": {MODEL: {"hang": True}}})
    trial = asyncio.create_task(node.chat())
    await node.until(lambda: scripted.calls(MODEL) == 1)
    others = await asyncio.gather(*(node.chat(unit=f"u{number}") for number in range(10)))
    assert [headers["x-promptstore-fallback"] for _, headers, _ in others] == ["template"] * 10
    assert scripted.calls(MODEL) == 1

    # Its caller goes away, which says nothing of the model: the next call is the trial.
    trial.cancel()
    await node.until(lambda: scripted.app.disconnects == 1)
    scripted.script({})
    for _ in range(2):
        status, headers, _ = await node.chat()
        assert (status, headers.get("x-promptstore-fallback")) == (200, None)


async def test_fallbacks_of_a_candidate_are_no_samples_of_the_candidate(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    candidate = guarded(Fallback.CHEAP, Fallback.TEMPLATE, version="1.1.0", cheap=True)
    stable = release("1.0.0", model_id="scripted-stable")
    document = feature(stable=stable, candidate=candidate, candidate_bp=10_000)
    await node.until_generation(world.publish(document, base_url=scripted.base_url))
    await fail(node, scripted, **{CHEAP: {"answer": "small talk"}})
    for _ in range(3):
        _, headers, body = await node.chat(unit="u1")
        assert (said(body), headers["x-promptstore-arm"]) == ("small talk", "candidate")
    events = await events_in_database(world, node, 5)
    assert {event["release_digest"] for event in events} == {candidate["digest"]}
    assert {event["rollout_id"] for event in events} == {document["rollout"]["id"]}
    assert [(event["arm"], event["status"]) for event in events] == [
        *[("candidate", "error")] * 2,
        *[("safe", "ok")] * 3,
    ]


async def test_a_stream_behind_a_window_is_kept_unless_it_was_cut_at_a_hit(
    world: World, node: RunningNode, scripted: ScriptedServer, ticks: Clock
) -> None:
    policy = {"mode": "window", "banned": [{"id": "x", "pattern": "forbidden"}], "message": "Withheld."}
    await serve(world, node, scripted, guarded(Fallback.CACHE, Fallback.TEMPLATE, config={"policy": policy}))
    scripted.script({"models": {MODEL: {"answer": "first something forbidden"}}})
    await stream(node, prompt_variables={"service": "redis"})
    scripted.script({"models": {MODEL: {"answer": "one two three"}}})
    await stream(node)
    scripted.script(FAILING)
    for _ in range(2):
        await node.chat()
    kept = await node.chat()
    assert (kept[1]["x-promptstore-fallback"], said(kept[2])) == ("cache", "one two three")
    other = await node.chat(prompt_variables={"service": "redis"})
    assert other[1]["x-promptstore-fallback"] == "template"
