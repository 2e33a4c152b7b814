"""`POST /v1/chat/completions`: route, render, call the model, filter, answer, record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import structlog

from promptstore.core import clock
from promptstore.core.errors import DomainError
from promptstore.core.ids import uuid7
from providers import ChatRequest, ProviderError
from registry.breaker import BreakerSettings, Fallback
from registry.policy import PolicyError, PolicyMode
from releases.routing import Arm
from serving import answers, stream
from serving.answers import Answer, Judgement
from serving.auth import authenticate
from serving.breakers import BreakerOpenError, breaker_settings
from serving.call import CLIENT_CLOSED, Call
from serving.chat_request import ChatCall, parse_chat
from serving.disconnects import unless_gone
from serving.documents import Model
from serving.failures import upstream_error
from serving.fallbacks import find_fallback
from serving.http import ClientGoneError, Request, Response, Send
from serving.last_answers import answer_key
from serving.node import Node
from serving.prepared import Headers
from serving.problems import openai_error
from serving.records import Exchange
from serving.render import ReleaseUnusableError, check_variables, render_messages, safe_answer
from serving.requests import model_request, primary_model
from serving.routing import Decision, decide, find_feature, issue_pin
from serving.traces import Span, continue_trace
from telemetry.events import Status

_log = structlog.get_logger("serving")


async def chat_completions(node: Node, request: Request, send: Send) -> Response | None:
    """Answer, or None when the answer was streamed. Raises `DomainError` for what the caller can mend."""
    principal = authenticate(node.holder.current, request, scope="serve")
    body = await request.json_object(limit=node.settings.max_body_bytes)
    started = time.perf_counter()
    asked = parse_chat(body, pin_header=request.text_header(b"x-promptstore-pin"))
    environment = principal.environment
    feature = find_feature(environment, asked.feature)
    decision = decide(environment, feature, unit=asked.unit, pin=asked.pin, pins=node.pins)
    variables = check_variables(decision.release.prompt, asked.variables, field="prompt_variables")
    limits = decision.release.config
    node.limiter.take((environment.root.signed.environment_id, decision.name), limits.limit("rate_per_s", 0))
    call = _begin(node, request, asked, decision, variables, started)
    if decision.arm is Arm.SAFE:
        answer = Answer(safe_answer(decision.release, variables), "stop")
        return await _deliver(call, send, answer, Status.SAFE_MODE)
    try:
        return await unless_gone(request.receive, _call_model(call, send))
    except ClientGoneError:
        # The caller's doing, not the arm's: it must not count against the release.
        call.record(Status.OK, error_code=CLIENT_CLOSED)
        raise


def _begin(
    node: Node,
    request: Request,
    asked: ChatCall,
    decision: Decision,
    variables: Mapping[str, Any],
    started: float,
) -> Call:
    inference_id = str(uuid7())
    exchange = Exchange(
        inference_id=inference_id,
        at=clock.now().isoformat(),
        decision=decision,
        span=continue_trace(request.text_header(b"traceparent")),
        unit=asked.unit,
        session=asked.session,
        variables=variables,
        stream=asked.stream,
    )
    return Call(node, asked, exchange, _headers(node, decision, asked, exchange.span, inference_id), started)


def _headers(node: Node, decision: Decision, asked: ChatCall, span: Span, inference_id: str) -> Headers:
    release, model = decision.release, decision.release.models.get("primary")
    headers: Headers = [
        (b"x-promptstore-release", release.version.encode()),
        (b"x-promptstore-release-digest", release.digest.encode()),
        (b"x-promptstore-arm", decision.arm.value.encode()),
        (b"x-promptstore-prompt", release.prompt.label.encode()),
        (b"x-promptstore-model", model.label.encode() if model and decision.arm is not Arm.SAFE else b"none"),
        (b"x-promptstore-inference", inference_id.encode()),
        (b"x-promptstore-pin", issue_pin(decision, node.pins).encode()),
        (b"x-promptstore-trace", span.trace_id.encode()),
        (b"cache-control", b"no-store"),
    ]
    if asked.ignored:
        names = ",".join(name for name in asked.ignored[:20] if name.isascii() and name.isidentifier())
        headers.append((b"x-promptstore-ignored", names[:500].encode()))
    return headers


async def _call_model(call: Call, send: Send) -> Response | None:
    """The model's answer, filtered.

    Failures from here on are the product's or the provider's, and are recorded.
    """
    try:
        release = call.release
        model = primary_model(release)
        policy = release.config.policy
        messages = render_messages(
            release, call.exchange.variables, call.asked.history, field="prompt_variables"
        )
        breaker = breaker_settings(release.config)
        if breaker is not None:
            if Fallback.CACHE in breaker.fallbacks:
                call.answer_key = answer_key(call.decision, messages, call.asked.max_tokens)
            call.ticket = call.node.breakers.admit(call.decision, model, breaker)
            if call.ticket is None:
                return await _fall_back(call, send, breaker, model, messages)
        request = _request(call, model, messages)
        with call.ticket or nullcontext():
            async with call.node.upstreams.lease(
                call.node.holder.current, call.decision.environment, model
            ) as (provider, endpoint):
                call.endpoint = endpoint
                if call.asked.stream and policy.mode is not PolicyMode.BUFFER:
                    await stream.relay(call, provider.stream(request), send)
                    return None
                result = await provider.chat(request)
        return await _filtered(call, send, answers.shown(result))
    except ProviderError as error:
        _log.warning(
            "inference.failed", inference=call.exchange.inference_id, kind=error.kind, detail=error.detail
        )
        return _failed(call, upstream_error(error))
    except PolicyError as error:
        return _failed(call, ReleaseUnusableError(f"The output policy cannot be evaluated: {error}"))
    except (ReleaseUnusableError, BreakerOpenError) as error:
        return _failed(call, error)


def _failed(call: Call, error: DomainError) -> Response:
    response = openai_error(error)
    return Response(
        response.status,
        response.body,
        response.headers + call.headers,
        after=lambda: call.record(Status.ERROR, error_code=error.code),
    )


def _request(call: Call, model: Model, messages: list[dict[str, Any]]) -> ChatRequest:
    return model_request(
        call.release,
        model,
        messages,
        max_tokens=call.asked.max_tokens,
        traceparent=call.exchange.span.traceparent,
    )


async def _fall_back(
    call: Call, send: Send, breaker: BreakerSettings, model: Model, messages: list[dict[str, Any]]
) -> Response | None:
    """Answer without asking the model. Raises `BreakerOpenError` when no fallback has an answer."""
    found = await find_fallback(call, breaker, lambda other: _request(call, other, messages))
    if found is None:
        raise call.node.breakers.refusal(call.decision, model, breaker)
    call.answer_from(found.fallback, found.model)
    if found.fallback is Fallback.TEMPLATE:
        return await _deliver(call, send, found.answer, Status.SAFE_MODE)
    return await _filtered(call, send, found.answer)


async def _filtered(call: Call, send: Send, answer: Answer) -> Response | None:
    judgement = answers.judge(call.release, answer.text, answer.tool_calls)
    if not judgement.blocked:
        call.keep(answer, judgement)
        return await _deliver(call, send, answer, Status.OK, output=answer.text, judgement=judgement)
    replacement = Answer(
        answers.withheld(call.release, call.exchange.variables), "content_filter", answer.usage
    )
    return await _deliver(
        call, send, replacement, Status.POLICY_BLOCKED, output=answer.text, judgement=judgement
    )


async def _deliver(
    call: Call,
    send: Send,
    answer: Answer,
    status: Status,
    *,
    output: str | None = None,
    judgement: Judgement | None = None,
) -> Response | None:
    """Send a complete answer, whole or as a stream, and record it afterwards."""
    inference_id, feature = call.exchange.inference_id, call.decision.name

    def record() -> None:
        call.record(status, output=output, usage=answer.usage, judgement=judgement or Judgement())

    if call.asked.stream:
        writer = answers.ChunkWriter(inference_id=inference_id, feature=feature)
        events = writer.whole(answer, include_usage=call.asked.include_usage)
        await stream.send_events(call, events, send)
        record()
        return None
    body = answers.completion(answer, inference_id=inference_id, feature=feature)
    return Response(200, body, [(b"content-type", b"application/json"), *call.headers], after=record)
