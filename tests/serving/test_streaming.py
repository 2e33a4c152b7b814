from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from providers.scripted import ScriptedServer
from tests.serving.conftest import RunningNode
from tests.serving.test_gateway import events_in_database, serve
from tests.serving.world import AUTH, World

POLICY = {
    "policy": {
        "mode": "buffer",
        "banned": [{"id": "phrase", "pattern": "forbidden phrase"}],
        "message": "Withheld.",
    }
}


async def stream(node: RunningNode, **body: Any) -> tuple[int, Any, list[tuple[float, Any]]]:
    """Status, headers, and each event with the time of its arrival since the call began."""
    started = time.perf_counter()
    call = {"model": "config-assistant", "prompt_variables": {"service": "nginx"}, "stream": True, **body}
    events: list[tuple[float, Any]] = []
    async with node.client.post(node.url + "/v1/chat/completions", json=call, headers=AUTH) as response:
        if response.status != 200:
            return response.status, response.headers, [(0.0, await response.json(content_type=None))]
        async for line in response.content:
            if line.startswith(b"data: "):
                data = line[6:].strip()
                value = "[DONE]" if data == b"[DONE]" else orjson.loads(data)
                events.append((time.perf_counter() - started, value))
        return response.status, response.headers, events


def text_of(events: list[tuple[float, Any]]) -> str:
    deltas = [e["choices"][0]["delta"] for _, e in events if e != "[DONE]" and e.get("choices")]
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_a_stream_passes_through_piece_by_piece_with_the_first_token_at_once(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"default": {"answer": "one two three four", "chunks": 4, "chunk_delay_ms": 150}})
    status, headers, events = await stream(node, stream_options={"include_usage": True})
    assert status == 200
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["x-promptstore-model"] == "suggester@1.0.0"
    assert text_of(events) == "one two three four"
    assert events[0][1]["choices"][0]["delta"]["role"] == "assistant"
    first_text = next(at for at, event in events if text_of([(at, event)]))
    assert first_text < events[-1][0] - 0.3
    assert events[-1][1] == "[DONE]"
    assert events[-2][1]["usage"]["completion_tokens"] == 4
    assert events[-3][1]["choices"][0]["finish_reason"] == "stop"
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["stream"], event["output_redacted"]) == ("ok", True, "one two three four")
    assert event["output_tokens"] == 4


async def test_with_a_buffering_policy_nothing_is_shown_before_all_was_checked(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=POLICY)
    scripted.script({"default": {"answer": "a perfectly fine answer " * 20, "latency_ms": 200}})
    status, _, events = await stream(node, stream_options={"include_usage": True})
    assert status == 200
    assert events[0][0] >= 0.2
    assert text_of(events) == "a perfectly fine answer " * 20
    assert [event for _, event in events][-1] == "[DONE]"


@pytest.mark.parametrize("chunks", [1, 2, 7, 40])
@pytest.mark.parametrize(
    "answer",
    [
        "Well: the forbidden phrase, there.",
        "FORBIDDEN\n\u200b phrase",
        "ｆｏｒｂｉｄｄｅｎ\u00a0ph\u00adrase",
    ],
)
async def test_a_flagged_answer_never_reaches_the_caller_wherever_its_chunks_are_cut(
    world: World, node: RunningNode, scripted: ScriptedServer, chunks: int, answer: str
) -> None:
    await serve(world, node, scripted, config=POLICY)
    scripted.script({"default": {"answer": answer, "chunks": chunks}})
    status, _, events = await stream(node, unit="u1")
    assert status == 200
    assert text_of(events) == "Withheld."
    assert events[-2][1]["choices"][0]["finish_reason"] == "content_filter"
    whole_status, _, whole = await node.chat(unit="u1")
    assert whole_status == 200
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "Withheld."}
    recorded = await events_in_database(world, node, 2)
    assert {event["status"] for event in recorded} == {"policy_blocked"}
    assert all(event["policy_hit"] and event["policy_reasons"] == ["phrase"] for event in recorded)


async def test_a_stream_that_breaks_off_ends_with_an_error_event_and_no_done(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"default": {"answer": "one two three four", "truncate": True}})
    status, _, events = await stream(node)
    assert status == 200
    assert events[-1][1]["error"]["code"] == "upstream_truncated"
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["error_code"]) == ("error", "upstream_truncated")


@pytest.mark.parametrize(
    ("behaviour", "status"), [({"status": 503}, 502), ({"hang": True}, 504), ({"html": True}, 502)]
)
async def test_a_failure_before_the_first_piece_is_an_http_status(
    world: World, node: RunningNode, scripted: ScriptedServer, behaviour: dict[str, Any], status: int
) -> None:
    await serve(world, node, scripted, config={"limits": {"timeout_ms": 300}})
    scripted.script({"default": behaviour})
    got, _, events = await stream(node)
    assert got == status
    assert events[0][1]["error"]["code"].startswith("upstream_")


async def test_safe_mode_streams_too(world: World, node: RunningNode) -> None:
    from tests.serving.world import feature, release

    await node.until_generation(
        world.publish(feature(stable=None, candidate=release("1.0.0"), candidate_bp=0))
    )
    status, headers, events = await stream(node, unit="u1")
    assert (status, headers["x-promptstore-arm"]) == (200, "safe")
    assert text_of(events) == "Ask an administrator about nginx."


async def test_closing_a_stream_cancels_it_upstream(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"default": {"answer": "word " * 100, "chunks": 100, "chunk_delay_ms": 50}})
    call = {"model": "config-assistant", "prompt_variables": {"service": "x"}, "stream": True}
    async with node.client.post(node.url + "/v1/chat/completions", json=call, headers=AUTH) as response:
        await response.content.readline()
        response.close()
    await node.until(lambda: scripted.app.disconnects == 1)
    (event,) = await events_in_database(world, node, 1)
    assert event["error_code"] == "client_closed"


async def test_many_streams_run_beside_each_other(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"default": {"answer": "one two three", "chunks": 3, "chunk_delay_ms": 30}})
    results = await asyncio.gather(*(stream(node, unit=f"u{n}") for n in range(20)))
    assert {text_of(events) for _, _, events in results} == {"one two three"}
    assert len(await events_in_database(world, node, 20)) == 20
