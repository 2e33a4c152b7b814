from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from promptstore.core import clock
from providers import ChatChunk, ChatProvider, ChatRequest, FailureKind, ProviderError, Usage, build
from providers.guard import UrlRefusedError
from providers.openai_http.responses import retry_after_s
from providers.scripted import ScriptedServer

REQUEST = ChatRequest(
    model_id="m",
    messages=[{"role": "user", "content": "hello there"}],
    params={"temperature": 0},
    timeout_s=5,
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[ChatProvider]:
    made = build(
        "openai_http",
        base_url=server.base_url,
        api_key="sk-1",
        allow_private=True,
        max_response_bytes=100_000,
    )
    yield made
    await made.aclose()


async def collect(provider: ChatProvider, request: ChatRequest = REQUEST) -> list[ChatChunk]:
    return [chunk async for chunk in provider.stream(request)]


async def test_a_chat_gives_text_usage_and_what_the_provider_called_itself(
    server: ScriptedServer, provider: ChatProvider
) -> None:
    server.script({"models": {"m": {"answer": "echo $last", "provider_model": "m-2026"}}})
    result = await provider.chat(REQUEST)
    assert result.text == "echo hello there"
    assert result.usage == Usage(2, 3)
    assert (result.finish_reason, result.provider_model) == ("stop", "m-2026")
    assert result.raw_id.startswith("scripted-")
    sent = server.app.recent[-1]
    assert sent["body"]["temperature"] == 0
    assert sent["headers"]["Authorization"] == "Bearer sk-1"


async def test_a_stream_gives_the_same_text_and_usage(server: ScriptedServer, provider: ChatProvider) -> None:
    server.script({"default": {"answer": "one two three four", "chunks": 5}})
    chunks = await collect(provider)
    assert "".join(chunk.text for chunk in chunks) == "one two three four"
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(2, 4)]
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert server.app.recent[-1]["body"]["stream_options"] == {"include_usage": True}


FAILURES: list[tuple[dict[str, Any], FailureKind]] = [
    ({"status": 401}, FailureKind.UNAUTHORIZED),
    ({"status": 403}, FailureKind.UNAUTHORIZED),
    ({"status": 400}, FailureKind.BAD_REQUEST),
    ({"status": 404}, FailureKind.BAD_REQUEST),
    ({"status": 408}, FailureKind.TIMEOUT),
    ({"status": 429, "retry_after": "3"}, FailureKind.RATE_LIMITED),
    ({"status": 500}, FailureKind.UNAVAILABLE),
    ({"status": 503}, FailureKind.UNAVAILABLE),
    ({"status": 504}, FailureKind.TIMEOUT),
    ({"redirect_to": "http://127.0.0.1:9/"}, FailureKind.MALFORMED),
    ({"html": True}, FailureKind.MALFORMED),
    ({"broken_json": True}, FailureKind.MALFORMED),
    ({"truncate": True}, FailureKind.TRUNCATED),
    ({"hang": True}, FailureKind.TIMEOUT),
    ({"bytes_per_s": 20}, FailureKind.TIMEOUT),
]


@pytest.mark.parametrize(("behaviour", "kind"), FAILURES)
async def test_every_way_to_fail_has_its_kind_whole_and_streamed(
    server: ScriptedServer, provider: ChatProvider, behaviour: dict[str, Any], kind: FailureKind
) -> None:
    server.script({"default": {"answer": "one two three four"} | behaviour})
    request = ChatRequest(model_id="m", messages=REQUEST.messages, timeout_s=0.4)
    with pytest.raises(ProviderError) as whole:
        await provider.chat(request)
    with pytest.raises(ProviderError) as streamed:
        await collect(provider, request)
    assert (whole.value.kind, streamed.value.kind) == (kind, kind)
    assert whole.value.retry_after_s == (3.0 if "retry_after" in behaviour else None)


async def test_a_huge_answer_is_given_up_at_the_limit(server: ScriptedServer, provider: ChatProvider) -> None:
    server.script({"default": {"huge_bytes": 10_000_000_000}})
    with pytest.raises(ProviderError) as caught:
        await provider.chat(REQUEST)
    assert caught.value.kind is FailureKind.TOO_LARGE
    server.script({"default": {"answer": "x" * 300_000, "chunks": 3}})
    with pytest.raises(ProviderError) as caught:
        await collect(provider)
    assert caught.value.kind is FailureKind.TOO_LARGE


async def test_nobody_listening_is_unavailable() -> None:
    provider = build("openai_http", base_url="http://127.0.0.1:1/v1", allow_private=True)
    with pytest.raises(ProviderError) as caught:
        await provider.chat(REQUEST)
    assert caught.value.kind is FailureKind.UNAVAILABLE
    await provider.aclose()


async def test_a_name_that_resolves_to_a_private_address_is_unavailable_unless_allowed(
    server: ScriptedServer,
) -> None:
    url = server.base_url.replace("127.0.0.1", "localhost")
    provider = build("openai_http", base_url=url)
    with pytest.raises(ProviderError, match="guard") as caught:
        await provider.chat(REQUEST)
    assert caught.value.kind is FailureKind.UNAVAILABLE
    assert not server.app.counts
    await provider.aclose()
    with pytest.raises(UrlRefusedError):
        build("openai_http", base_url=server.base_url)
    with pytest.raises(ValueError, match="unknown protocol"):
        build("telepathy", base_url=url)


async def test_leaving_a_stream_early_ends_the_call(server: ScriptedServer, provider: ChatProvider) -> None:
    server.script({"default": {"answer": "word " * 100, "chunks": 100, "chunk_delay_ms": 20}})
    stream = provider.stream(REQUEST)
    async with contextlib.aclosing(stream) as pieces:  # type: ignore[type-var]  # the protocol promises an iterator only
        async for _ in pieces:
            break
    server.script({"default": {"answer": "next"}})
    assert (await provider.chat(REQUEST)).text == "next"


def test_retry_after_is_read_as_seconds_or_a_date_and_bounded() -> None:
    assert retry_after_s("7") == 7.0
    assert retry_after_s("999999999") == 86_400.0
    assert retry_after_s(None) is None
    assert retry_after_s("soon") is None
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    later = retry_after_s("Wed, 21 Oct 2199 07:28:00 GMT")
    assert later == 86_400.0
    assert clock.now().year < 2199
