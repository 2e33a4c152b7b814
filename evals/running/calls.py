"""Putting a case to a release, as the data plane would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.prompts import prompt_spec
from evals.requests import chat_request
from evals.scorers import Answer, Case
from evals.subjects import GateSubject
from evals.suites import Ask
from promptstore.core.errors import InvalidInput
from providers import ChatProvider, Usage
from registry.rendering.errors import RenderError
from registry.rendering.prices import ModelPrice, estimate_cost
from registry.rendering.render import compile_prompt
from registry.rendering.schemas import validate


def asker(subject: GateSubject, provider: ChatProvider) -> Ask:
    """Asks the release's primary prompt and model through `provider`.

    Raises `SpecError` or `RenderError` for a prompt that cannot be compiled. What it returns raises `ProviderError` for a call
    without an answer, and `InvalidInput` for a case whose variables the prompt does not take.
    """
    prompt, model = subject.primary_prompt, subject.primary_model
    compiled = compile_prompt(prompt_spec(prompt))

    async def ask(case: Case, _trial: int) -> Answer:
        variables = dict(case.variables)
        if fault := misfit(prompt, variables):
            raise InvalidInput(fault, code="variables_do_not_fit", field="variables")
        try:
            messages = compiled.render(variables)
        except RenderError as error:
            raise InvalidInput(str(error), code=error.code, field="variables") from error
        request = chat_request(prompt=prompt, model=model, config=subject.config, messages=messages)
        result = await provider.chat(request)
        return Answer.of(result, cost_nanos=_cost_nanos(model, result.usage))

    return ask


def misfit(prompt: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    """Why a prompt's input schema refuses these variables, as a sentence; empty where it takes them."""
    schema = prompt.get("input_schema")
    problems = validate(schema, dict(variables)) if schema else []
    if not problems:
        return ""
    where = f"{problems[0].path}: " if problems[0].path else ""
    return f"The variables do not fit the prompt's input schema: {where}{problems[0].message}"


def _cost_nanos(model: Mapping[str, Any], usage: Usage | None) -> int | None:
    """What a call cost, in nano-dollars; None where tokens or price are unknown."""
    if usage is None:
        return None
    price = model.get("price")
    own = ModelPrice(price["input_nanos_per_mtok"], price["output_nanos_per_mtok"]) if price else None
    found = estimate_cost(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        tokens_exact=True,
        price=own,
        provider=model["provider"],
        model_id=model["model_id"],
    )
    return found.per_call_nanos if found else None
