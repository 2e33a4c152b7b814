"""A provider of models for replays: real models behind the names that people know, and each answer asked for once.

`python -m promptstore.replay.provider --port N` serves `/v1/chat/completions`. It forwards a call to the model that stands
behind the name at that moment, and remembers answers at temperature 0, which a model gives again anyway: so days of traffic fit
into minutes. What stands behind a name is set with `POST /_names` (`{"name": {"base_url", "model"}}`). So a provider changes a
model silently: the answers go on bearing the name that was asked for.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from promptstore.core.digests import digest_json

MAX_BODY_BYTES = 4_000_000
ANSWER_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Backing:
    """The model behind a name: an OpenAI-compatible server and what it calls the model. It answers with `context_messages` of the
    last messages alone where that is not 0: a provider that cut its context.
    """

    base_url: str
    model: str
    context_messages: int = 0

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Backing:
        """Raises `KeyError` and `ValueError`."""
        return cls(
            str(body["base_url"]).rstrip("/"), str(body["model"]), int(body.get("context_messages", 0))
        )


class NamedModels:
    """Answers for the models behind names. A question at temperature 0 is asked once, also while its answer is under way."""

    def __init__(self) -> None:
        self.backings: dict[str, Backing] = {}
        self.asked = 0
        self.remembered = 0
        self._answers: dict[str, asyncio.Task[Mapping[str, Any]]] = {}

    async def answer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises `KeyError` for a name with nothing behind it, and what aiohttp raises."""
        name = str(body["model"])
        backing = self.backings[name]
        question = {**body, "model": backing.model}
        if backing.context_messages:
            question["messages"] = list(body["messages"])[-backing.context_messages :]
        if body.get("temperature") != 0:
            return {**await self._ask(backing, question), "model": name}
        key = digest_json({"base_url": backing.base_url, "question": question})
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = asyncio.ensure_future(self._ask(backing, question))
            known.add_done_callback(lambda task: self._forget_failure(key, task))
        else:
            self.remembered += 1
        return {**await asyncio.shield(known), "model": name}

    def _forget_failure(self, key: str, task: asyncio.Task[Mapping[str, Any]]) -> None:
        """A failure is nobody's answer: whoever asks next asks the model again."""
        if task.cancelled() or task.exception() is not None:
            self._answers.pop(key, None)

    async def _ask(self, backing: Backing, question: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked += 1
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{backing.base_url}/chat/completions", json=question) as response,
        ):
            response.raise_for_status()
            answer: Mapping[str, Any] = await response.json()
            return answer


def application(models: NamedModels) -> web.Application:
    """The HTTP side of it."""

    async def complete(request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        if body.get("stream"):
            return _problem(400, "This provider answers whole.")
        try:
            return web.json_response(await models.answer(body))
        except KeyError:
            return _problem(404, f"There is no model {body.get('model')!r}.")
        except (aiohttp.ClientError, TimeoutError) as error:
            return _problem(503, f"The model is not there: {error}")

    async def name(request: web.Request) -> web.Response:
        models.backings |= {name: Backing.of(body) for name, body in (await request.json()).items()}
        return web.json_response({"names": sorted(models.backings)})

    async def counts(_: web.Request) -> web.Response:
        return web.json_response({"asked": models.asked, "remembered": models.remembered})

    served = web.Application(client_max_size=MAX_BODY_BYTES)
    served.add_routes(
        [
            web.post("/v1/chat/completions", complete),
            web.post("/_names", name),
            web.get("/_counts", counts),
        ]
    )
    return served


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m promptstore.replay.provider", description="A provider of models for replays."
    )
    parser.add_argument("--port", type=int, required=True, help="a free port of loopback")
    options = parser.parse_args()
    web.run_app(application(NamedModels()), host="127.0.0.1", port=options.port, print=None)
