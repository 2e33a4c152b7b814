"""What an event changed, member by member. Pure: two JSON objects become two columns of lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_MEMBERS = 30
MAX_CHARS = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """The members that differ as lines `name: value`, up to `MAX_MEMBERS`; `more` counts the others."""

    before: str
    after: str
    more: int

    def __bool__(self) -> bool:
        return bool(self.before or self.after)


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Difference:
    """The members in which `after` differs from `before`. Objects are followed inwards: `limits.timeout_ms`."""
    old, new = dict(_members(before or {})), dict(_members(after or {}))
    names = [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]
    shown = names[:MAX_MEMBERS]
    return Difference(_lines(old, shown), _lines(new, shown), len(names) - len(shown))


def _members(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _members(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _lines(members: Mapping[str, Any], names: list[str]) -> str:
    return "\n".join(f"{name}: {_value(members[name])}" for name in names if name in members)


def _value(value: Any) -> str:
    """One line: a text that has several, or would read as another type, stands as JSON."""
    plain = isinstance(value, str) and value.isprintable() and value != ""
    text = value if plain else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}…"
