"""What a serving config bans, and whether a text holds any of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.policy.errors import PolicyError
from registry.policy.expressions import compile_expression
from registry.policy.normalising import normalise
from registry.policy.window import Entry, Window, expression_entry, phrase_entry

MAX_PATTERNS = 200
MAX_PATTERN_CHARS = 300

_CONTENT_FILTERED = "This answer was withheld by a content policy."


class PolicyMode(StrEnum):
    """How a streamed answer is checked. One that is not streamed is checked whole, unless the filter is off."""

    BUFFER = "buffer"
    WINDOW = "window"
    OFF = "off"

    @property
    def promise(self) -> str:
        """What it promises of a flagged answer, for people."""
        return _PROMISES[self]


_PROMISES = {
    PolicyMode.BUFFER: "Hold whole answers back: nothing of a flagged answer is ever shown",
    PolicyMode.WINDOW: "Hold the newest words back: what is flagged is never shown, the text before it may be",
    PolicyMode.OFF: "Off: everything is shown",
}


@dataclass(frozen=True)
class Policy:
    """A parsed filter: literal phrases in normalised form, and expressions, each with the id of its entry."""

    mode: PolicyMode
    message: str
    phrases: Sequence[tuple[str, str]]
    expressions: Sequence[tuple[str, re.Pattern[str]]]
    entries: Sequence[Entry] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Policy:
        """Read a config's `policy`; raises `PolicyError`. An empty one filters nothing.

        A pattern is a literal phrase, or `/…/` with an expression of the subset of `compile_expression`. With the mode
        `window` what an entry can match must be short enough to be held back.
        """
        mode = _mode(raw)
        banned = raw.get("banned") or []
        if not isinstance(banned, list) or len(banned) > MAX_PATTERNS:
            raise PolicyError("banned", f"Use a list of at most {MAX_PATTERNS} entries.")
        phrases: list[tuple[str, str]] = []
        expressions: list[tuple[str, re.Pattern[str]]] = []
        entries: list[Entry] = []
        for index, entry in enumerate(banned):
            name, pattern = _entry(entry, f"banned[{index}]")
            where = f"banned[{index}].pattern"
            if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
                expression = compile_expression(pattern[1:-1], where)
                expressions.append((name, expression))
                if mode is PolicyMode.WINDOW:
                    entries.append(expression_entry(name, expression, where))
            elif phrase := normalise(pattern).strip():
                phrases.append((name, phrase))
                if mode is PolicyMode.WINDOW:
                    entries.append(phrase_entry(name, phrase, where))
            else:
                raise PolicyError(where, "Nothing is left of this phrase once it is normalised.")
        message = raw.get("message")
        return cls(
            mode,
            message if isinstance(message, str) else "",
            tuple(phrases),
            tuple(expressions),
            tuple(entries),
        )

    @property
    def buffers(self) -> bool:
        """Whether whole answers are held back until they were checked."""
        return self.mode is not PolicyMode.OFF

    def check(self, text: str) -> list[str]:
        """The ids of the entries that the text hits, phrases first; empty when it may be shown."""
        if not self.buffers:
            return []
        normalised = normalise(text)
        hits = [name for name, phrase in self.phrases if phrase in normalised]
        hits += [name for name, expression in self.expressions if expression.search(normalised)]
        return list(dict.fromkeys(hits))

    def window(self) -> Window:
        """The hold-back of one streamed answer, with the mode `window`."""
        return Window(self.entries)

    @property
    def replacement(self) -> str:
        """What is shown instead of a flagged answer."""
        return self.message or _CONTENT_FILTERED


def _mode(raw: Mapping[str, Any]) -> PolicyMode:
    mode = raw.get("mode", PolicyMode.BUFFER if raw.get("banned") else PolicyMode.OFF)
    if not isinstance(mode, str) or mode not in set(PolicyMode):
        raise PolicyError("mode", "Use buffer, window or off.")
    return PolicyMode(mode)


def _entry(entry: object, where: str) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise PolicyError(where, "Use an object with id and pattern.")
    name, pattern = entry.get("id"), entry.get("pattern")
    if not isinstance(name, str) or not 0 < len(name) <= 80:
        raise PolicyError(f"{where}.id", "Use a text of 1 to 80 characters.")
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN_CHARS:
        raise PolicyError(f"{where}.pattern", f"Use a text of 1 to {MAX_PATTERN_CHARS} characters.")
    return name, pattern
