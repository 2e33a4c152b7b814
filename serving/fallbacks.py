"""Who answers while a breaker is open: the configured fallbacks, in their order, until one has an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from providers import ChatRequest, ProviderError
from registry.breaker import BreakerSettings, Fallback
from serving import answers
from serving.answers import Answer
from serving.call import Call
from serving.documents import Model
from serving.render import safe_answer

_log = structlog.get_logger("serving")


@dataclass(frozen=True, slots=True)
class Found:
    """An answer and where it is from. `model` is None for the template."""

    fallback: Fallback
    answer: Answer
    model: Model | None


async def find_fallback(
    call: Call, settings: BreakerSettings, request_for: Callable[[Model], ChatRequest]
) -> Found | None:
    """The first fallback that has an answer; None when none has. The caller still filters what models said."""
    for fallback in settings.fallbacks:
        found = await _try(call, settings, fallback, request_for)
        if found is not None:
            return found
    return None


async def _try(
    call: Call, settings: BreakerSettings, fallback: Fallback, request_for: Callable[[Model], ChatRequest]
) -> Found | None:
    models = call.release.models
    if fallback is Fallback.CHEAP:
        model = models.get("cheap")
        answer = None if model is None else await _ask(call, settings, model, request_for(model))
        return None if answer is None else Found(fallback, answer, model)
    if fallback is Fallback.CACHE:
        kept = call.answer_key and call.node.last_answers.get(
            call.answer_key, max_age_s=settings.cache_max_age_s
        )
        return Found(fallback, kept, models.get("primary")) if kept else None
    return Found(fallback, Answer(safe_answer(call.release, call.exchange.variables), "stop"), None)


async def _ask(call: Call, settings: BreakerSettings, model: Model, request: ChatRequest) -> Answer | None:
    """The cheap model's answer, whole; it has a breaker of its own, so that it cannot hold every call up."""
    ticket = call.node.breakers.admit(call.decision, model, settings)
    if ticket is None:
        return None
    try:
        with ticket:
            async with call.node.upstreams.lease(
                call.node.holder.current, call.decision.environment, model
            ) as (provider, endpoint):
                result = await provider.chat(request)
    except ProviderError as error:
        _log.warning(
            "fallback.failed", inference=call.exchange.inference_id, kind=error.kind, detail=error.detail
        )
        return None
    call.endpoint = endpoint
    return answers.shown(result)
