"""The serving config: its schema, its safe mode, its policy filter."""

from __future__ import annotations

from collections.abc import Iterator

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject
from evals.inputs import CannedInput, canned_inputs
from evals.prompts import label
from evals.states import Verdict
from promptstore.core.errors import InvalidInput
from registry.configs import check_config_body
from registry.policy import Policy, PolicyError
from registry.rendering.errors import RenderError
from registry.rendering.render import compile_prompt
from registry.rendering.spec import Message, PromptSpec, Role


def checks(subject: GateSubject) -> Iterator[Check]:
    """Three rows; safe mode is rendered without variables too, because it must always answer."""
    name = label(subject.release["config"])
    yield perform("config.schema", f"{name} has the shape of a serving config", lambda: _schema(subject))
    yield perform("config.safe_mode", "Safe mode answers whatever it is given", lambda: _safe_mode(subject))
    yield perform(
        "config.policy", "Every pattern of the policy filter can be evaluated", lambda: _policy(subject)
    )


def _schema(subject: GateSubject) -> Outcome:
    try:
        check_config_body(dict(subject.config))
    except InvalidInput as error:
        return Outcome(Verdict.FAIL, error.detail, {"errors": error.errors})
    return Outcome(Verdict.PASS, "All members are known and within bounds.")


def _safe_mode(subject: GateSubject) -> Outcome:
    template = (subject.config.get("safe_mode") or {}).get("template")
    if not template:
        return Outcome(Verdict.FAIL, "There is no safe-mode template.")
    examples = canned_inputs(project_id=subject.project_id, prompt=subject.primary_prompt)
    answers: dict[str, str] = {}
    try:
        compiled = compile_prompt(PromptSpec(messages=(Message(Role.ASSISTANT, template),)))
        for one in [CannedInput("No variables", {}), *examples]:
            answers[one.name] = compiled.render(dict(one.variables))[0]["content"]
            if not answers[one.name].strip():
                return Outcome(Verdict.FAIL, f"“{one.name}” gives an empty answer.", {"answers": answers})
    except RenderError as error:
        return Outcome(Verdict.FAIL, f"It cannot be rendered: {error.message}", {"answers": answers})
    return Outcome(
        Verdict.PASS, f"Rendered with {len(answers)} inputs, one of them empty.", {"answers": answers}
    )


def _policy(subject: GateSubject) -> Outcome:
    try:
        policy = Policy.parse(subject.config.get("policy") or {})
    except PolicyError as error:
        return Outcome(Verdict.FAIL, f"policy.{error.field}: {error.message}")
    count = len(policy.phrases) + len(policy.expressions)
    if not policy.buffers:
        return Outcome(Verdict.PASS, "The filter is off.", {"patterns": count, "mode": "off"})
    return Outcome(
        Verdict.PASS, f"{count} patterns compiled.", {"patterns": count, "mode": policy.mode.value}
    )
