"""Whether prompt and answer fit into the model's context window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject
from evals.inputs import canned_inputs
from evals.prompts import label, prompt_spec
from evals.states import Verdict
from registry.models import ModelVersion
from registry.rendering.errors import RenderError
from registry.rendering.render import compile_prompt
from registry.rendering.tokens import DEFAULT_ENCODING, count_message_tokens, encoding_for


def checks(subject: GateSubject) -> Iterator[Check]:
    """One row per prompt: the longest example, rendered, beside the room that the answer leaves."""
    encoding = _encoding(subject)
    for name, prompt in sorted(subject.release["prompts"].items()):
        yield perform(
            f"tokens:{name}",
            f"{label(prompt)} fits into the context of {label(subject.primary_model)}",
            partial(_fits, subject, prompt, encoding),
        )


def _encoding(subject: GateSubject) -> str:
    """The tokenizer of the model's registry entry, or the encoding that stands in for unknown ones."""
    tokenizer = (
        ModelVersion.objects.filter(project_id=subject.project_id, digest=subject.primary_model["digest"])
        .values_list("tokenizer", flat=True)
        .first()
    ) or {}
    return encoding_for(str(tokenizer.get("name", DEFAULT_ENCODING))).name


def _fits(subject: GateSubject, prompt: Mapping[str, Any], encoding: str) -> Outcome:
    spec = prompt_spec(prompt)
    longest = count_message_tokens([message.to_dict() for message in spec.messages], encoding).tokens
    try:
        compiled = compile_prompt(spec)
        for example in canned_inputs(project_id=subject.project_id, prompt=prompt):
            longest = max(
                longest, count_message_tokens(compiled.render(dict(example.variables)), encoding).tokens
            )
    except RenderError as error:
        return Outcome(Verdict.FAIL, f"The prompt cannot be rendered: {error.message}")
    answer = spec.params.max_tokens or subject.limit("max_output_tokens", 0)
    context = subject.primary_model.get("context_tokens")
    evidence = {
        "input_tokens": longest,
        "output_tokens": answer,
        "context_tokens": context,
        "encoding": encoding,
    }
    if context is None:
        return Outcome(
            Verdict.INCONCLUSIVE,
            f"{label(subject.primary_model)} is registered without the size of its context, so nothing can be said.",
            evidence,
        )
    sums = f"{longest:,} tokens of input and {answer:,} for the answer; the context holds {context:,}."
    return Outcome(Verdict.PASS if longest + answer <= context else Verdict.FAIL, sums, evidence)
