"""One canned input, called and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from evals.gates.smoke.calls import Reply
from evals.inputs import CannedInput
from evals.states import Verdict
from providers import ChatResult, FailureKind
from registry.policy import Policy
from registry.rendering.schemas import validate
from registry.shown import everything_shown
from telemetry.redaction import redact

MAX_OUTPUT_CHARS = 4_000
_CUT_SHORT = {"length", "content_filter"}


@dataclass(frozen=True, slots=True)
class Trial:
    """What one input led to. `problems` say why the output is not valid; `policy_reasons` what the filter hit."""

    input: CannedInput
    reply: Reply
    problems: tuple[str, ...] = ()
    policy_reasons: tuple[str, ...] = ()

    @property
    def result(self) -> ChatResult | None:
        return self.reply.result

    @property
    def answered(self) -> bool:
        return self.result is not None

    @property
    def cut_short(self) -> bool:
        """Whether the model stopped before it had said everything."""
        return self.result is not None and self.result.finish_reason in _CUT_SHORT

    @property
    def valid(self) -> bool:
        """A complete answer that fits the output schema."""
        return self.answered and not self.problems and not self.cut_short

    @property
    def timed_out(self) -> bool:
        return self.reply.failure is not None and self.reply.failure.kind is FailureKind.TIMEOUT

    @property
    def verdict(self) -> Verdict:
        """Of this trial alone; whether the gate passes is up to the checks over all of them."""
        if not self.answered:
            refused = self.reply.failure is not None and self.reply.failure.kind is FailureKind.BAD_REQUEST
            return Verdict.FAIL if refused else Verdict.ERROR
        return Verdict.PASS if self.valid and not self.policy_reasons else Verdict.FAIL

    def to_dict(self) -> dict[str, Any]:
        """The trial as it stands in a report: texts redacted and cut."""
        row: dict[str, Any] = {
            "id": self.input.name,
            "verdict": self.verdict.value,
            "detail": self.sentence,
            "attempts": self.reply.attempts,
            "problems": list(self.problems),
            "policy_reasons": list(self.policy_reasons),
        }
        if self.result is not None:
            usage = self.result.usage
            row |= {
                "output": redact(self.result.text, max_chars=MAX_OUTPUT_CHARS)[0],
                "finish_reason": self.result.finish_reason,
                "latency_ms": self.result.latency_ms,
                "provider_model": self.result.provider_model,
                "input_tokens": usage.input_tokens if usage else None,
                "output_tokens": usage.output_tokens if usage else None,
            }
        elif self.reply.failure is not None:
            row["failure"] = self.reply.failure.kind.value
        return row

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        if self.reply.failure is not None:
            return f"No answer: {redact(self.reply.failure.detail, max_chars=300)[0]}."
        if self.policy_reasons:
            return f"The policy filter would withhold it: {', '.join(self.policy_reasons)}."
        if self.cut_short:
            return "The answer was cut short."
        return self.problems[0] if self.problems else "Answered as it should."


def look_at(canned: CannedInput, reply: Reply, *, prompt: Mapping[str, Any], policy: Policy) -> Trial:
    """Judge a reply by the prompt's output schema and the config's policy filter."""
    if reply.result is None:
        return Trial(canned, reply)
    return Trial(
        canned,
        reply,
        problems=tuple(_problems(reply.result, prompt.get("output_schema"))),
        policy_reasons=tuple(
            policy.check(everything_shown(reply.result.text, reply.result.message.get("tool_calls")))
        ),
    )


def _problems(result: ChatResult, schema: Mapping[str, Any] | None) -> list[str]:
    if schema is None:
        said_something = result.text.strip() or result.message.get("tool_calls")
        return [] if said_something else ["The answer is empty."]
    try:
        value = orjson.loads(result.text)
    except orjson.JSONDecodeError:
        return ["The answer is not JSON."]
    return [
        f"{problem.path}: {problem.message}" if problem.path else problem.message
        for problem in validate(schema, value)
    ]
