"""The smoke gate: real calls with canned inputs to the release's own model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from evals.checks import Check, Outcome, perform
from evals.gates import params as parameters
from evals.gates.base import Gate, GateSubject, Judgement
from evals.gates.params import Param
from evals.gates.smoke.calls import call_all
from evals.gates.smoke.trials import Trial, look_at
from evals.gates.smoke.verdicts import checks
from evals.inputs import CannedInput, canned_inputs
from evals.prompts import label, prompt_spec
from evals.requests import chat_request
from evals.states import Verdict
from promptstore.core.errors import DomainError
from providers import ChatRequest
from providers.guard import UrlRefusedError
from registry.policy import Policy, PolicyError
from registry.rendering.errors import RenderError, SpecError
from registry.rendering.render import compile_prompt
from registry.selectors.endpoints import client_settings

PARAMS: Final = (
    Param("min_valid_share", default=1.0, low=0, high=1, whole=False),
    Param("max_latency_ms", default=None, low=1, high=600_000),
    Param("max_cases", default=10, low=1, high=50),
    Param("attempts", default=3, low=1, high=5),
    Param("concurrency", default=4, low=1, high=16),
)


def judge(subject: GateSubject, params: Mapping[str, Any]) -> Judgement:
    """Call the model once for each canned input and judge the answers; a release that cannot be called fails."""
    trials: list[Trial] = []

    def call() -> Outcome:
        nonlocal trials
        try:
            trials = _trials(subject, params)
        except (SpecError, RenderError, PolicyError) as error:
            return Outcome(Verdict.FAIL, f"The release cannot be called: {error}")
        except (DomainError, ValueError, UrlRefusedError) as error:
            return Outcome(Verdict.ERROR, f"The endpoint cannot be used: {error}")
        if not trials:
            advice = "Keep example inputs with the prompt version."
            return Outcome(Verdict.INCONCLUSIVE, f"No input could be made from the input schema. {advice}")
        made = ", ".join(trial.input.name for trial in trials)
        return Outcome(
            Verdict.PASS, f"{len(trials)} calls to {label(subject.primary_model)}.", {"inputs": made}
        )

    called = perform("called", "The release can be called", call)
    rows: tuple[Check, ...] = tuple(checks(subject, trials, params)) if trials else ()
    return Judgement((called, *rows), cases=tuple(trial.to_dict() for trial in trials))


def _trials(subject: GateSubject, params: Mapping[str, Any]) -> list[Trial]:
    inputs = canned_inputs(project_id=subject.project_id, prompt=subject.primary_prompt)[
        : params["max_cases"]
    ]
    policy = Policy.parse(subject.config.get("policy") or {})
    requests = _requests(subject, inputs)
    settings = client_settings(UUID(subject.primary_model["endpoint"]))
    replies = call_all(settings, requests, attempts=params["attempts"], concurrency=params["concurrency"])
    return [
        look_at(canned, reply, prompt=subject.primary_prompt, policy=policy)
        for canned, reply in zip(inputs, replies, strict=True)
    ]


def _requests(subject: GateSubject, inputs: Sequence[CannedInput]) -> list[ChatRequest]:
    compiled = compile_prompt(prompt_spec(subject.primary_prompt))
    return [
        chat_request(
            prompt=subject.primary_prompt,
            model=subject.primary_model,
            config=subject.config,
            messages=compiled.render(dict(canned.variables)),
        )
        for canned in inputs
    ]


GATE = Gate("smoke", "Smoke calls", judge, read_params=lambda given: parameters.read(given, PARAMS))
