"""Reading plain JSON objects into frozen dataclasses, with errors that name the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from promptstore.core.errors import InvalidInput

E = TypeVar("E", bound=StrEnum)


def join(parent: str, name: str) -> str:
    """The path of `name` within `parent`: `steps[1].weight_bp`."""
    return f"{parent}.{name}" if parent else name


def read_object(
    value: object, field: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Mapping[str, object]:
    """`value` as an object with exactly the known keys; raises `InvalidInput`."""
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"{field or 'This'} must be an object with {_listed(required)}.", field=field or None
        )
    known = {*required, *optional}
    for key in value:
        if key not in known:
            raise InvalidInput(
                f"“{key}” is not known here; known are {_listed(sorted(known))}.", field=join(field, str(key))
            )
    for name in required:
        if name not in value:
            raise InvalidInput(f"“{name}” is missing.", field=join(field, name))
    return value


def read_list(value: object, field: str) -> Sequence[object]:
    """`value` as a list; raises `InvalidInput`."""
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{field} must be a list.", field=field)
    return value


def read_int(value: object, field: str, *, minimum: int, maximum: int) -> int:
    """`value` as a whole number within bounds; a boolean is none. Raises `InvalidInput`."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise InvalidInput(f"{field} must be a whole number from {minimum:,} to {maximum:,}.", field=field)
    return value


def read_text(value: object, field: str) -> str:
    """`value` as text that is not blank; raises `InvalidInput`."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{field} must be a text that is not empty.", field=field)
    return value


def read_choice(value: object, field: str, choices: type[E]) -> E:
    """`value` as a member of `choices`; raises `InvalidInput`."""
    for choice in choices:
        if choice.value == value:
            return choice
    raise InvalidInput(f"{field} must be one of {_listed([c.value for c in choices])}.", field=field)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
