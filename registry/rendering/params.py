"""Sampling parameters that a prompt may pin; a model's own defaults apply to the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.rendering.errors import SpecError
from registry.rendering.json_values import JsonValue, text_problem

MAX_STOP_SEQUENCES = 4
MAX_STOP_CHARS = 200
MAX_SAFE_INTEGER = 2**53 - 1  # canonical JSON (RFC 8785) has no larger integers


class ResponseFormat(StrEnum):
    """What the answer must look like. The schema of `json_schema` is the prompt's own output schema."""

    TEXT = "text"
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"


@dataclass(frozen=True, slots=True)
class PromptParams:
    """`None` and an empty tuple mean: not pinned. Ranges are those of the OpenAI-compatible chat protocol."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    response_format: ResponseFormat | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, JsonValue]) -> PromptParams:
        """Read and check; raises `SpecError` naming `params.<key>`."""
        unknown = sorted(set(data) - set(cls.__slots__))
        if unknown:
            known = ", ".join(cls.__slots__)
            raise SpecError(f"params.{unknown[0][:80]}", f"Unknown parameter. Known are: {known}.")
        return cls(
            temperature=_number(data, "temperature", low=0, high=2),
            top_p=_number(data, "top_p", low=0, high=1),
            max_tokens=_integer(data, "max_tokens", low=1, high=10_000_000),
            stop=_stop(data.get("stop")),
            seed=_integer(data, "seed", low=-MAX_SAFE_INTEGER, high=MAX_SAFE_INTEGER),
            response_format=_response_format(data.get("response_format")),
        )

    def to_dict(self) -> dict[str, JsonValue]:
        """Only what is pinned, in the order of the fields."""
        values: dict[str, JsonValue] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop) or None,
            "seed": self.seed,
            "response_format": self.response_format.value if self.response_format else None,
        }
        return {key: value for key, value in values.items() if value is not None}


def _number(data: Mapping[str, JsonValue], key: str, *, low: float, high: float) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"params.{key}", f"Use a number from {low} to {high}.")
    if not low <= value <= high or not math.isfinite(value):
        raise SpecError(f"params.{key}", f"{value} is out of range; use {low} to {high}.")
    return value


def _integer(data: Mapping[str, JsonValue], key: str, *, low: int, high: int) -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"params.{key}", f"Use a whole number from {low} to {high}.")
    if not low <= value <= high:
        raise SpecError(f"params.{key}", f"The number is out of range; use {low} to {high}.")
    return value


def _stop(value: JsonValue) -> tuple[str, ...]:
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > MAX_STOP_SEQUENCES:
        raise SpecError("params.stop", f"Use a list of at most {MAX_STOP_SEQUENCES} texts.")
    stops: list[str] = []
    for index, item in enumerate(items):
        if not isinstance(item, str) or not 0 < len(item) <= MAX_STOP_CHARS:
            raise SpecError(f"params.stop[{index}]", f"Use a text of 1 to {MAX_STOP_CHARS} characters.")
        if problem := text_problem(item):
            raise SpecError(f"params.stop[{index}]", problem)
        stops.append(item)
    return tuple(stops)


def _response_format(value: JsonValue) -> ResponseFormat | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in frozenset(ResponseFormat):
        raise SpecError("params.response_format", f"Use one of: {', '.join(ResponseFormat)}.")
    return ResponseFormat(value)
