"""Asking an entry the questions of a probe set. Calls models, so it runs outside any transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from evals.gates.smoke.calls import Reply, call_all
from evals.probes.cases import ProbeCase
from evals.probes.readings import read
from providers import ChatRequest, ChatResult
from providers.guard import UrlRefusedError
from registry.probes import ClientSettings
from telemetry.redaction import redact

REPEATS: Final = 4  # of each question, so that a provider's own noise shows
TIMEOUT_S: Final = 20.0
MAX_ANSWER_CHARS: Final = 2_000
SEED: Final = 7
_ATTEMPTS: Final = 2
_CONCURRENCY: Final = 4
_BATCH: Final = 8
_NOT_ASKED: Final = "not_asked"


@dataclass(slots=True)
class CaseReplies:
    """What came back for one question: answers in the order of asking, redacted, and failures by kind."""

    case: ProbeCase
    answers: list[str] = field(default_factory=list)
    latency_ms: list[int] = field(default_factory=list)
    output_tokens: list[int] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def readings(self) -> list[str]:
        return [read(answer, self.case.reading) for answer in self.answers]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a run."""
        return {
            **self.case.to_dict(),
            "answers": self.answers,
            "latency_ms": self.latency_ms,
            "output_tokens": self.output_tokens,
            "failures": dict(self.failures),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe set with what came back. `provider_models` are the names that the provider gave itself, each with its
    fingerprint, in order of appearance; `problem` is one sentence about the first failure, for operators.
    """

    cases: Sequence[CaseReplies]
    provider_models: Sequence[str]
    problem: str = ""


def ask(
    settings: ClientSettings,
    *,
    model_id: str,
    params: Mapping[str, Any],
    cases: Sequence[ProbeCase],
    repeats: int = REPEATS,
    timeout_s: float = TIMEOUT_S,
) -> Asked:
    """Ask every case `repeats` times, once through all before the next time, so that noise over minutes is seen too.

    `params` are the entry's own. Gives up early where a whole batch gets no answer: the rest counts as `not_asked`. Never raises
    for what a provider or its URL may do.
    """
    found = [CaseReplies(case) for case in cases]
    names: dict[str, None] = {}
    problem = ""
    silent = False
    for batch in _batches(found * repeats):
        if silent:
            for one in batch:
                one.failures[_NOT_ASKED] += 1
            continue
        requests = [
            _request(one.case, model_id=model_id, params=params, timeout_s=timeout_s) for one in batch
        ]
        try:
            replies = call_all(settings, requests, attempts=_ATTEMPTS, concurrency=_CONCURRENCY)
        except (ValueError, UrlRefusedError) as error:
            return Asked(found, (), f"The endpoint cannot be used: {error}.")
        for one, reply in zip(batch, replies, strict=True):
            problem = problem or _failure(reply)
            _note(one, reply, names)
        silent = all(reply.result is None for reply in replies)
    return Asked(found, tuple(names), problem)


def probe_params(params: Mapping[str, Any], max_tokens: int) -> dict[str, Any]:
    """The parameters of a question: the entry's own, but with as little chance as the protocol allows.

    An entry that sets `max_completion_tokens` is of a kind that refuses sampling parameters; it is asked with its own alone.
    """
    if "max_completion_tokens" in params:
        return dict(params)
    return {**params, "temperature": 0, "seed": SEED, "max_tokens": max_tokens}


def _request(case: ProbeCase, *, model_id: str, params: Mapping[str, Any], timeout_s: float) -> ChatRequest:
    return ChatRequest(
        model_id=model_id,
        messages=case.messages,
        params=probe_params(params, case.max_tokens),
        timeout_s=timeout_s,
    )


def _note(one: CaseReplies, reply: Reply, names: dict[str, None]) -> None:
    result = reply.result
    if result is None:
        one.failures[reply.failure.kind.value if reply.failure else _NOT_ASKED] += 1
        return
    one.answers.append(_stored(result))
    one.latency_ms.append(result.latency_ms)
    if result.usage is not None:
        one.output_tokens.append(result.usage.output_tokens)
    if name := " · ".join(part for part in (result.provider_model, result.fingerprint) if part):
        names[name] = None


def _stored(result: ChatResult) -> str:
    return redact(result.text, max_chars=MAX_ANSWER_CHARS)[0]


def _failure(reply: Reply) -> str:
    return "" if reply.failure is None else redact(reply.failure.detail, max_chars=300)[0]


def _batches(rows: Sequence[CaseReplies]) -> Iterator[Sequence[CaseReplies]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
