from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web

from providers.scripted import ScriptedServer
from registry.policy import Policy
from tests.serving.conftest import RunningNode
from tests.serving.test_gateway import events_in_database, serve
from tests.serving.test_streaming import stream, text_of
from tests.serving.world import AUTH, World, feature, release

POLICY = {
    "mode": "window",
    "banned": [{"id": "phrase", "pattern": "forbidden phrase"}],
    "message": "Withheld.",
}
CONFIG = {"policy": POLICY}
CLEAN = "All of this is harmless. " * 8


def finish(events: list[tuple[float, Any]]) -> Any:
    (reason,) = [
        event["choices"][0]["finish_reason"]
        for _, event in events
        if event != "[DONE]" and event.get("choices") and event["choices"][0]["finish_reason"]
    ]
    return reason


async def test_the_first_words_leave_while_the_model_still_writes(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    # After its first piece the model pauses for longer than any test: what is read until then came before its end.
    scripted.script({"default": {"answer": CLEAN, "chunks": 2, "chunk_delay_ms": 3_600_000}})
    call = {"model": "config-assistant", "prompt_variables": {"service": "x"}, "stream": True}
    text = ""
    async with node.client.post(node.url + "/v1/chat/completions", json=call, headers=AUTH) as response:
        while not text:
            line = await response.content.readline()
            if line.startswith(b"data: "):
                text = orjson.loads(line[6:])["choices"][0]["delta"].get("content", "")
        assert scripted.app.disconnects == 0
        response.close()
    assert CLEAN.startswith(text)
    await node.until(lambda: scripted.app.disconnects == 1)


@pytest.mark.parametrize("chunks", [1, 3, 50])
async def test_a_clean_answer_arrives_unchanged(
    world: World, node: RunningNode, scripted: ScriptedServer, chunks: int
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    scripted.script({"default": {"answer": CLEAN, "chunks": chunks}})
    status, _, events = await stream(node, stream_options={"include_usage": True})
    assert (status, text_of(events), finish(events)) == (200, CLEAN, "stop")
    assert events[-2][1]["usage"]["completion_tokens"] == len(CLEAN.split())
    assert events[-1][1] == "[DONE]"
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["policy_hit"], event["output_redacted"]) == ("ok", False, CLEAN)


@pytest.mark.parametrize("chunks", [1, 2, 7, 60, 200])
@pytest.mark.parametrize(
    "flagged",
    ["the forbidden phrase", "FORBIDDEN\n\u200b phrase", "ｆｏｒｂｉｄｄｅｎ\u00a0ph\u00adrase"],
)
async def test_of_a_flagged_answer_only_clean_text_before_the_hit_is_shown(
    world: World, node: RunningNode, scripted: ScriptedServer, chunks: int, flagged: str
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    answer = f"{CLEAN}Now {flagged}, and more of it. {CLEAN}"
    scripted.script({"default": {"answer": answer, "chunks": chunks}})
    status, _, events = await stream(node)
    text = text_of(events)
    shown = text.removesuffix("Withheld.").removesuffix("\n\n")
    assert (status, finish(events), events[-1][1]) == (200, "content_filter", "[DONE]")
    assert text != shown
    assert f"{CLEAN}Now {flagged}".startswith(shown)
    assert Policy.parse(POLICY).check(shown) == []
    # A fair part of the clean beginning did leave, unless the hit came with the first piece.
    assert chunks < 7 or len(shown) > 100
    (marked,) = [event for _, event in events if event != "[DONE]" and event.get("policy")]
    assert marked["choices"][0]["delta"]["content"].endswith("Withheld.")
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["policy_hit"], event["policy_reasons"]) == (
        "policy_blocked",
        True,
        ["phrase"],
    )


async def test_a_hit_ends_the_models_stream(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    answer = "The forbidden phrase. " + CLEAN
    scripted.script({"default": {"answer": answer, "chunks": 4, "chunk_delay_ms": 3_600_000}})
    _, _, events = await stream(node)
    assert text_of(events) == "Withheld."
    await node.until(lambda: scripted.app.disconnects == 1)


async def test_a_whole_answer_is_checked_whole(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    scripted.script({"default": {"answer": CLEAN + "forbidden phrase"}})
    status, _, body = await node.chat()
    assert (status, body["choices"][0]["finish_reason"]) == (200, "content_filter")
    assert body["choices"][0]["message"]["content"] == "Withheld."


async def test_escaped_words_in_json_are_withheld_before_their_first_character(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    hidden = '{"say": "a forbidden\\u0020phrase", "more": "' + "x" * 300 + '"}'
    scripted.script({"default": {"answer": hidden, "chunks": 20}})
    _, _, events = await stream(node)
    assert (text_of(events), finish(events)) == ("Withheld.", "content_filter")


async def test_a_stream_that_breaks_off_shows_none_of_what_was_held(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config=CONFIG)
    scripted.script({"default": {"answer": "a forbidden " * 4, "truncate": True}})
    _, _, events = await stream(node)
    assert events[-1][1]["error"]["code"] == "upstream_truncated"
    assert len(text_of(events[:-1])) <= len("a forbidden " * 2) - len("forbidden")
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["policy_hit"]) == ("error", False)


class RawUpstream:
    """A model on loopback that streams exactly the deltas it is told."""

    def __init__(self) -> None:
        self.deltas: list[dict[str, Any]] = []
        self.base_url = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        endings: list[tuple[dict[str, Any], str | None]] = [(delta, None) for delta in self.deltas]
        for delta, reason in [*endings, ({}, "tool_calls")]:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            await response.write(b"data: " + orjson.dumps({"choices": [choice]}) + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


@pytest.fixture
async def raw(world: World, node: RunningNode) -> AsyncIterator[RawUpstream]:
    upstream = RawUpstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", upstream.chat)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    upstream.base_url = f"http://{host}:{port}/v1"
    document = feature(stable=release(config=CONFIG))
    await node.until_generation(world.publish(document, base_url=upstream.base_url))
    yield upstream
    await runner.cleanup()


def tool_call(*arguments: str) -> list[dict[str, Any]]:
    first = {
        "index": 0,
        "id": "c1",
        "type": "function",
        "function": {"name": "say", "arguments": ""},
    }
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    return [{"tool_calls": [delta]} for delta in (first, *rest)]


async def test_tool_calls_are_held_whole_and_arrive_whole(node: RunningNode, raw: RawUpstream) -> None:
    raw.deltas = [{"content": "Let me see. " * 5}, *tool_call('{"text": ', '"hello"}')]
    _, _, events = await stream(node)
    deltas = [event["choices"][0]["delta"] for _, event in events if event != "[DONE]"]
    assert [delta["tool_calls"] for delta in deltas if "tool_calls" in delta] == [
        [
            {
                "index": 0,
                "id": "c1",
                "type": "function",
                "function": {"name": "say", "arguments": '{"text": "hello"}'},
            }
        ]
    ]
    assert (text_of(events), finish(events)) == ("Let me see. " * 5, "tool_calls")


async def test_a_phrase_in_the_arguments_of_a_tool_withholds_the_call(
    world: World, node: RunningNode, raw: RawUpstream
) -> None:
    raw.deltas = [{"content": "Let me see. " * 5}, *tool_call('{"text": "forbidden', '\\u0020phrase"}')]
    _, _, events = await stream(node)
    assert "tool_calls" not in str(events)
    assert text_of(events).endswith("\n\nWithheld.")
    assert finish(events) == "content_filter"
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["policy_reasons"]) == ("policy_blocked", ["phrase"])


async def test_members_that_are_not_checked_are_not_passed_on(node: RunningNode, raw: RawUpstream) -> None:
    raw.deltas = [
        {"reasoning_content": "forbidden phrase", "refusal": "forbidden phrase"},
        {"content": "Fine."},
    ]
    _, _, events = await stream(node)
    assert "forbidden" not in str(events)
    assert text_of(events) == "Fine."
