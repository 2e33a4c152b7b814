"""Copies of answered calls for the other release: the candidate in shadow, and stable for pairs while users get the candidate.

A copy begins after its call was answered, and nothing of it comes back: no answer, no breaker, no rate limit, no cache. What a node
cannot do beside its callers it drops and counts.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import structlog

from promptstore.core import clock
from promptstore.core.errors import DomainError
from promptstore.core.ids import uuid7
from providers import ProviderError
from registry.policy import PolicyError
from releases.routing import TOTAL_BP, Arm, scale
from serving import answers
from serving.chat_request import ChatCall
from serving.documents import Endpoint, FeatureDocument, Release
from serving.failures import upstream_error
from serving.metrics import Metrics
from serving.records import Exchange, Outcome, Recorder
from serving.render import ReleaseUnusableError, check_variables, render_messages
from serving.requests import model_request, primary_model
from serving.routing import Decision
from serving.state import StateHolder
from serving.traces import child_of
from serving.upstreams import Upstreams
from telemetry.events import Status

_log = structlog.get_logger("serving")
MIRRORED, PAIRED = "mirrored", "paired"
FULL, OUTDATED, STOPPED, FAILED = "full", "outdated", "stopped", "failed"


@dataclass(frozen=True, slots=True)
class Copy:
    """An answered call that `release` is to answer too. `keeps_text` says that both answers are kept, as a pair."""

    answered: Exchange
    asked: ChatCall
    release: Release
    reason: str
    keeps_text: bool


def copy_of(answered: Exchange, asked: ChatCall) -> Copy | None:
    """What the snapshot wants copied of a call; None of most. Which calls it picks follows from their ids alone."""
    decision = answered.decision
    document = decision.feature.document
    rollout = document.rollout
    if rollout is None or not (rollout.shadow_bp or rollout.pairs_bp):
        return None
    keeps_text = scale(f"pair:{answered.inference_id}", TOTAL_BP) < rollout.pairs_bp
    if decision.arm is Arm.CANDIDATE:
        wanted = keeps_text and document.stable is not None
        return Copy(answered, asked, document.stable, PAIRED, True) if wanted and document.stable else None
    # Before anything is live the safe mode answers: then its calls are what there is to copy.
    if decision.arm is not Arm.STABLE and document.stable is not None:
        return None
    if scale(answered.inference_id, TOTAL_BP) >= rollout.shadow_bp:
        return None
    return Copy(answered, asked, rollout.candidate, MIRRORED, keeps_text)


class Mirror:
    """Works copies off in the background, a bounded number at once, and forgets what does not fit its queue."""

    def __init__(
        self,
        *,
        holder: StateHolder,
        upstreams: Upstreams,
        recorder: Recorder,
        metrics: Metrics,
        at_once: int,
        queue: int,
    ) -> None:
        self._holder = holder
        self._upstreams = upstreams
        self._recorder = recorder
        self._metrics = metrics
        self._at_once = at_once
        self._most_waiting = queue
        self._waiting: deque[Copy] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._stopped = False

    def offer(self, copy: Copy) -> None:
        """Take a copy, or drop and count it. Returns at once: the caller's answer has just been sent."""
        if self._stopped:
            self._drop(copy, STOPPED)
        elif len(self._workers) < self._at_once:
            self._waiting.append(copy)
            worker = asyncio.create_task(self._work(), name="mirror")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        elif len(self._waiting) < self._most_waiting:
            self._waiting.append(copy)
        else:
            self._drop(copy, FULL)

    @property
    def is_busy(self) -> bool:
        """Whether copies wait or are under way."""
        return bool(self._workers)

    async def stop(self) -> None:
        """Give up what waits and what is under way: a copy is worth no delay."""
        self._stopped = True
        while self._waiting:
            self._drop(self._waiting.popleft(), STOPPED)
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            copy = self._waiting.popleft()
            try:
                await self._ask(copy)
            except asyncio.CancelledError:
                self._drop(copy, STOPPED)
                raise
            except Exception:  # noqa: BLE001 - nobody waits who could be told, and a defect must not end the worker
                _log.exception("mirror.failed", inference=copy.answered.inference_id)
                self._drop(copy, FAILED)

    async def _ask(self, copy: Copy) -> None:
        decision = self._decision(copy)
        if decision is None:
            self._drop(copy, OUTDATED)
            return
        answered = copy.answered
        exchange = Exchange(
            inference_id=str(uuid7()),
            at=clock.now().isoformat(),
            decision=decision,
            span=child_of(answered.span),
            unit=answered.unit,
            session=answered.session,
            variables=answered.variables,
            stream=False,
            paired_with=answered.inference_id,
        )
        started = time.perf_counter()
        outcome = await self._answer(exchange, copy, started)
        self._recorder.record(exchange, outcome)
        self._metrics.inference(decision.name, Arm.SHADOW.value, outcome.status.value)

    def _decision(self, copy: Copy) -> Decision | None:
        """What is asked, by the snapshot of now; None when it wants no such copy any more."""
        before = copy.answered.decision
        environment = self._holder.current.environments.get(before.environment.root.signed.environment_id)
        feature = environment.features.get(before.name) if environment else None
        if environment is None or feature is None or not _is_wanted(copy, feature.document):
            return None
        return Decision(environment, feature, Arm.SHADOW, copy.reason, copy.release)

    async def _answer(self, exchange: Exchange, copy: Copy, started: float) -> Outcome:
        """What became of it. What the release cannot make of the call's variables is its error, and counts."""
        release = copy.release
        endpoint: Endpoint | None = None

        def outcome(status: Status, **details: Any) -> Outcome:
            latency_ms = (time.perf_counter() - started) * 1000
            return Outcome(status, latency_ms, endpoint=endpoint, keeps_text=copy.keeps_text, **details)

        try:
            variables = check_variables(release.prompt, copy.asked.variables, field="prompt_variables")
            messages = render_messages(release, variables, copy.asked.history, field="prompt_variables")
            model = primary_model(release)
            _ = release.config.policy  # one that cannot be evaluated is found before anything is paid
            request = model_request(
                release,
                model,
                messages,
                max_tokens=copy.asked.max_tokens,
                traceparent=exchange.span.traceparent,
            )
            async with self._upstreams.lease(self._holder.current, exchange.decision.environment, model) as (
                provider,
                endpoint,
            ):
                answer = answers.shown(await provider.chat(request))
            judgement = answers.judge(release, answer.text, answer.tool_calls)
        except ProviderError as error:
            return outcome(Status.ERROR, error_code=upstream_error(error).code)
        except PolicyError:
            return outcome(Status.ERROR, error_code=ReleaseUnusableError.code)
        except DomainError as error:
            return outcome(Status.ERROR, error_code=error.code)
        status = Status.POLICY_BLOCKED if judgement.blocked else Status.OK
        return outcome(status, output=answer.text, usage=answer.usage, judgement=judgement)

    def _drop(self, copy: Copy, reason: str) -> None:
        self._metrics.copy_dropped(copy.answered.decision.name, reason)


def _is_wanted(copy: Copy, document: FeatureDocument) -> bool:
    rollout, before = document.rollout, copy.answered.decision.rollout_id
    if rollout is None or rollout.id != before:
        return False
    if copy.reason == PAIRED:
        return (
            bool(rollout.pairs_bp)
            and document.stable is not None
            and document.stable.digest == copy.release.digest
        )
    return bool(rollout.shadow_bp)
