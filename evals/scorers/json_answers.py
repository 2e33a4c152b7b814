"""Answers that are JSON: reading one, finding a place in it, comparing two values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from promptstore.core.errors import InvalidInput
from registry.rendering.json_values import JsonValueError, check_json, compact_json

_FENCE: Final = re.compile(r"\A```[a-zA-Z]*[ \t]*\n(.*?)\n?```\Z", re.DOTALL)
_STEP: Final = re.compile(r"(?:\A|(?<=.)\.)([^.\[\]\"]+)|\[(\d{1,6})\]|\[\"([^\"\\]*)\"\]")

Place = tuple[str | int, ...]


class NotJsonError(ValueError):
    """An answer that cannot be read as JSON; the text is a sentence for people."""


def read_json(text: str, *, allow_fence: bool) -> Any:
    """The JSON value of an answer. Raises `NotJsonError`.

    With `allow_fence` a Markdown code fence around the whole answer is taken off; a program that reads the answer would not.
    """
    inside = text.strip()
    if allow_fence and (fenced := _FENCE.match(inside)):
        inside = fenced[1]
    try:
        value = orjson.loads(inside)
        check_json(value)
    except orjson.JSONDecodeError:
        raise NotJsonError("The answer is not JSON.") from None
    except (JsonValueError, RecursionError) as error:
        raise NotJsonError(f"The answer's JSON cannot be used: {error}.") from None
    return value


def parse_place(text: str, *, field: str) -> Place:
    """`answer.items[0]["a key"]` as steps. Raises `InvalidInput` for what is no place."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise InvalidInput("Write a place such as answer.items[0].name.", field=field)
        name, index, quoted = step.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        position = step.end()
    if not steps:
        raise InvalidInput("Write a place such as answer.items[0].name.", field=field)
    return tuple(steps)


def look_up(value: Any, place: Place) -> tuple[bool, Any]:
    """Whether there is such a place, and what is there."""
    for step in place:
        if isinstance(step, str):
            there = isinstance(value, Mapping) and step in value
        else:
            there = isinstance(value, list | tuple) and step < len(value)
        if not there:
            return False, None
        value = value[step]
    return True, value


def shown(value: Any) -> str:
    """A value as compact JSON, cut to what evidence needs."""
    return compact_json(value)[:500]


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 but not true, and the order of members does not count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same_json(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
