"""Tokens and cost of a prompt with its example inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_high
from typing import Any, Final

from registry.rendering.errors import RenderError
from registry.rendering.prices import CostEstimate, ModelPrice, estimate_cost
from registry.rendering.render import compile_prompt
from registry.rendering.spec import PromptSpec
from registry.rendering.tokens import DEFAULT_ENCODING, count_message_tokens

ASSUMED_OUTPUT_TOKENS: Final = 256
"""Length of an answer where the prompt pins no `max_tokens`."""


@dataclass(frozen=True)
class Cost:
    """What a call would cost with one model; `output_tokens` is what was assumed for the answer."""

    estimate: CostEstimate
    output_tokens: int
    assumed: bool


def template_tokens(spec: PromptSpec, encoding: str = DEFAULT_ENCODING) -> int:
    """Tokens of the templates as they are written: what a call costs before its variables."""
    return count_message_tokens((message.to_dict() for message in spec.messages), encoding).tokens


def token_counts(
    spec: PromptSpec, examples: Sequence[Mapping[str, Any]], encoding: str = DEFAULT_ENCODING
) -> dict[str, Any]:
    """Counts to keep with a version: `{"encoding", "exact", "template", "examples": [{"name", "tokens"}], "typical"}`.

    `typical` is the median example, else the templates alone. The prompt is in the published subset; an example that does not
    render is left out (the checks report it).
    """
    counted = count_message_tokens((message.to_dict() for message in spec.messages), encoding)
    compiled = compile_prompt(spec)
    rendered: list[dict[str, Any]] = []
    for example in examples:
        try:
            messages = compiled.render(example["variables"])
        except RenderError:
            continue
        rendered.append({"name": example["name"], "tokens": count_message_tokens(messages, encoding).tokens})
    typical = median_high(item["tokens"] for item in rendered) if rendered else counted.tokens
    return {
        "encoding": counted.encoding,
        "exact": counted.exact,
        "template": counted.tokens,
        "examples": rendered,
        "typical": typical,
    }


def cost_of_call(
    spec: PromptSpec, *, input_tokens: int, price: Mapping[str, Any] | None, provider: str, model_id: str
) -> Cost | None:
    """Cost by the model entry's own price, else by the public list; None where neither knows the model."""
    output_tokens = spec.params.max_tokens or ASSUMED_OUTPUT_TOKENS
    own = ModelPrice(price["input_nanos_per_mtok"], price["output_nanos_per_mtok"]) if price else None
    estimate = estimate_cost(
        input_tokens=input_tokens,
        output_tokens=min(output_tokens, 1_000_000),
        tokens_exact=False,
        price=own,
        provider=provider,
        model_id=model_id,
    )
    return Cost(estimate, output_tokens, spec.params.max_tokens is None) if estimate else None
