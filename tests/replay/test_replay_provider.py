"""The provider of a replay: real answers, each asked for once, and a model that changes behind its name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from promptstore.replay.provider import NamedModels, application
from providers.scripted import ScriptedServer

NAME = "assistant-large"


@pytest.fixture
def good() -> Any:
    with ScriptedServer({"default": {"answer": "as agreed"}}) as server:
        yield server


@pytest.fixture
def other() -> Any:
    with ScriptedServer({"default": {"answer": "something else"}}) as server:
        yield server


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with TestServer(application(NamedModels())) as server:
        yield str(server.make_url("")).rstrip("/")


async def post(url: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(url + path, json=body) as response:
        return response.status, await response.json()


async def put_behind(url: str, model: ScriptedServer, **more: Any) -> None:
    await post(url, "/_names", {NAME: {"base_url": model.base_url, "model": "weights", **more}})


def question(text: str = "Use eight workers.", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    return {"model": NAME, "messages": messages, "temperature": 0, **more}


async def ask(url: str, **more: Any) -> str:
    status, answer = await post(url, "/v1/chat/completions", question(**more))
    assert status == 200
    assert answer["model"] == NAME, "the answer bears the name that was asked for"
    return str(answer["choices"][0]["message"]["content"])


async def test_a_question_at_temperature_0_is_asked_once(url: str, good: ScriptedServer) -> None:
    await put_behind(url, good)
    answers = await asyncio.gather(*(ask(url) for _ in range(20)))
    assert set(answers) == {"as agreed"}
    assert len(good.app.recent) == 1
    assert good.app.recent[0]["body"]["model"] == "weights"
    await ask(url, text="Use nine workers.")
    assert len(good.app.recent) == 2


async def test_others_are_asked_each_time(url: str, good: ScriptedServer) -> None:
    await put_behind(url, good)
    for _ in range(3):
        await ask(url, temperature=0.7)
    assert len(good.app.recent) == 3


async def test_what_is_behind_a_name_changes_silently(
    url: str, good: ScriptedServer, other: ScriptedServer
) -> None:
    await put_behind(url, good)
    assert await ask(url) == "as agreed"
    await put_behind(url, other)
    assert await ask(url) == "something else"
    await put_behind(url, good)
    assert await ask(url) == "as agreed"
    assert len(good.app.recent) == 1, "the earlier answer is still known"


async def test_a_context_that_is_cut_reaches_the_model_cut(url: str, good: ScriptedServer) -> None:
    await put_behind(url, good, context_messages=1)
    await ask(url)
    assert [message["role"] for message in good.app.recent[0]["body"]["messages"]] == ["user"]


async def test_a_failure_is_not_remembered(url: str, good: ScriptedServer) -> None:
    await post(url, "/_names", {NAME: {"base_url": "http://127.0.0.1:9/v1", "model": "weights"}})
    status, _ = await post(url, "/v1/chat/completions", question())
    assert status == 503
    await put_behind(url, good)
    assert await ask(url) == "as agreed"


async def test_a_name_with_nothing_behind_it_is_unknown(url: str) -> None:
    status, answer = await post(url, "/v1/chat/completions", question())
    assert status == 404
    assert NAME in answer["error"]["message"]
