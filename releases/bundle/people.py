"""People in a bundle: an id that says nothing by itself, the name they go by here, and never an e-mail address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from promptstore.core.models import User
from releases.selectors.people import names_of
from telemetry.detectors import emails

LEFT_OUT: Final = "[e-mail address left out]"
# `assistant@1.0.0` names an artifact.
_VERSION: Final = re.compile(r"@\d+\.\d+\.\d+")


def person(user: User | None) -> dict[str, str] | None:
    """`{"id", "name"}`; null for what nobody or the product itself did."""
    return None if user is None else {"id": str(user.pk), "name": without_addresses(str(user))}


def people(ids: Iterable[str]) -> list[dict[str, str]]:
    """The same for ids of people, in order; someone who is gone keeps the id."""
    listed = list(ids)
    names = names_of(listed)
    return [{"id": one, "name": without_addresses(names.get(one, ""))} for one in listed]


def names_an_address(value: Any) -> bool:
    """Whether a text anywhere in a JSON value, keys included, holds an e-mail address."""
    return bool(without_addresses(value) != value)


def without_addresses(value: Any) -> Any:
    """A JSON value with each e-mail address replaced by `LEFT_OUT`."""
    if isinstance(value, str):
        return _without(value)
    if isinstance(value, dict):
        return {_without(key): without_addresses(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_addresses(item) for item in value]
    return value


def _without(text: str) -> str:
    pieces, position = [], 0
    for start, end in emails(text):
        if _VERSION.search(text, start, end):
            continue
        pieces += [text[position:start], LEFT_OUT]
        position = end
    return "".join([*pieces, text[position:]])
