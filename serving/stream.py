"""Streaming to the caller as server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import orjson
import structlog

from providers import ChatChunk, ProviderError, Usage
from serving.answers import DONE, Answer, ChunkWriter, judge
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


async def pass_through(call: Call, chunks: AsyncIterator[ChatChunk], send: Send) -> None:
    """The model's stream, piece by piece, as it comes. Only for features whose policy holds nothing back.

    A failure before the first piece is raised as `ProviderError`, so that the caller gets a status; a later
    one ends the stream with an error event and without `[DONE]`. Either way it is recorded once.
    """
    writer = ChunkWriter(inference_id=call.exchange.inference_id, feature=call.decision.name)
    text: list[str] = []
    usage: Usage | None = None
    finish_reason = ""
    called_tools = False
    started = False
    try:
        async with contextlib.aclosing(_generator(chunks)) as pieces:
            async for chunk in pieces:
                if not started:
                    started = True
                    await _start(call, send)
                    await _write(send, writer.delta({"role": "assistant", "content": ""}))
                usage = chunk.usage or usage
                finish_reason = chunk.finish_reason or finish_reason
                called_tools = called_tools or bool(chunk.tool_calls)
                text.append(chunk.text)
                for event in _events(chunk, writer):
                    await _write(send, event)
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
        call.record(Status.ERROR, error_code=code, output="".join(text), usage=usage)
        return
    if not started:
        await _start(call, send)
    if call.asked.include_usage and usage is not None:
        await _write(send, writer.usage(usage))
    await _write(send, DONE)
    await _end(send)
    output = "".join(text)
    judgement = judge(call.release, output)
    # Tool calls come as deltas here; such an answer is not put together again to be kept.
    if not called_tools:
        call.keep(Answer(output, finish_reason), judgement)
    call.record(Status.OK, output=output, usage=usage, judgement=judgement)


def _events(chunk: ChatChunk, writer: ChunkWriter) -> Iterable[bytes]:
    if chunk.text:
        yield writer.delta({"content": chunk.text})
    if chunk.tool_calls:
        yield writer.delta({"tool_calls": list(chunk.tool_calls)})
    if chunk.finish_reason:
        yield writer.delta({}, chunk.finish_reason)


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
