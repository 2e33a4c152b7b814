"""Streaming to the caller as server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import orjson
import structlog

from providers import ChatChunk, ProviderError
from registry.policy import PolicyMode, Window
from serving.answers import DONE, Answer, ChunkWriter, Judgement, Received, judge, withheld
from serving.call import Call
from serving.failures import UpstreamError, upstream_error
from serving.http import Send
from serving.prepared import Headers
from serving.problems import openai_body
from telemetry.events import Status

_log = structlog.get_logger("serving")
_EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
]


async def send_events(call: Call, events: Iterable[bytes], send: Send) -> None:
    """A complete answer as a stream."""
    await _start(call, send)
    for event in events:
        await _write(send, event)
    await _end(send)


async def relay(call: Call, chunks: AsyncIterator[ChatChunk], send: Send) -> None:
    """The model's stream, piece by piece as it comes: all of it, or behind the window that the policy asks for.

    A failure before the first piece is raised as `ProviderError`, so that the caller gets a status; a later
    one ends the stream with an error event and without `[DONE]`, and what the window held is dropped. A hit in the
    window ends the model's stream at once. Either way it is recorded once.
    """
    policy = call.release.config.policy
    window = policy.window() if policy.mode is PolicyMode.WINDOW else None
    writer = ChunkWriter(inference_id=call.exchange.inference_id, feature=call.decision.name)
    received = Received()
    started = False
    try:
        async with contextlib.aclosing(_generator(chunks)) as pieces:
            async for chunk in pieces:
                if not started:
                    started = True
                    await _start(call, send)
                    await _write(send, writer.delta({"role": "assistant", "content": ""}))
                received.add(chunk)
                for event in _passing(chunk, window, writer):
                    await _write(send, event)
                if window is not None and window.hits:
                    break
    except ProviderError as error:
        if not started:
            raise
        if call.ticket is not None:
            call.ticket.settle(error)
        _log.warning(
            "inference.failed", inference=call.exchange.inference_id, kind=error.kind, detail=error.detail
        )
        await _break_off(send, upstream_error(error))
        code = upstream_error(error).code
        call.record(Status.ERROR, error_code=code, output=received.text, usage=received.usage)
        return
    if not started:
        await _start(call, send)
    await _finish(call, received, window, writer, send)


async def _finish(
    call: Call, received: Received, window: Window | None, writer: ChunkWriter, send: Send
) -> None:
    """What is left to say once the model is done, or was stopped at a hit."""
    answer = received.answer()
    if window is not None and window.hits:
        # Whether the whole answer would have fitted its schema nobody knows.
        judgement = Judgement(window.hits)
    else:
        judgement = judge(call.release, answer.text, answer.tool_calls)
    for event in _closing(call, answer, judgement, window, writer):
        await _write(send, event)
    if call.asked.include_usage and answer.usage is not None:
        await _write(send, writer.usage(answer.usage))
    await _write(send, DONE)
    await _end(send)
    call.keep(answer, judgement)
    status = Status.POLICY_BLOCKED if judgement.blocked else Status.OK
    call.record(status, output=answer.text, usage=answer.usage, judgement=judgement)


def _passing(chunk: ChatChunk, window: Window | None, writer: ChunkWriter) -> Iterable[bytes]:
    """What of a piece may be shown at once. Behind a window that is text alone: tool calls are checked whole."""
    text = chunk.text if window is None else window.feed(chunk.text)
    if text:
        yield writer.delta({"content": text})
    if window is not None:
        return
    if chunk.tool_calls:
        yield writer.delta({"tool_calls": list(chunk.tool_calls)})
    if chunk.finish_reason:
        yield writer.delta({}, chunk.finish_reason)


def _closing(
    call: Call, answer: Answer, judgement: Judgement, window: Window | None, writer: ChunkWriter
) -> Iterable[bytes]:
    if window is None:
        return
    if judgement.blocked:
        yield writer.replacement(withheld(call.release, call.exchange.variables), after_text=window.released)
        yield writer.delta({}, "content_filter")
        return
    if rest := window.rest():
        yield writer.delta({"content": rest})
    if answer.tool_calls:
        yield writer.tool_calls(answer.tool_calls)
    yield writer.delta({}, answer.finish_reason)


async def _generator(chunks: AsyncIterator[ChatChunk]) -> AsyncGenerator[ChatChunk]:
    """An iterator that can be closed, whatever the provider gave: closing ends the upstream call."""
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


async def _start(call: Call, send: Send) -> None:
    headers = [*_EVENT_STREAM, *call.headers, *call.node.freshness.headers(call.decision.environment)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _write(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})


async def _break_off(send: Send, error: UpstreamError) -> None:
    await _write(send, b"data: " + orjson.dumps(openai_body(error)) + b"\n\n")
    await _end(send)
