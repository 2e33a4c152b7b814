"""The output policy filter: what must not reach a user, found deterministically in the normalised text.

Patterns are literal phrases, or `/…/` with a subset of regular expressions whose cost is bounded by
construction: repeats have upper bounds, and all repeats together multiply to at most `MAX_REPEAT_PRODUCT`
ways per starting point.
"""

from __future__ import annotations

import re
import re._constants as opcodes  # type: ignore[import-not-found]  # the parser has no stubs
import re._parser as regex_parser  # type: ignore[import-not-found]
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_PATTERNS = 200
MAX_PATTERN_CHARS = 300
MAX_REPEAT_PRODUCT = 1_000

_CONTENT_FILTERED = "This answer was withheld by a content policy."
_INVISIBLE = {"Cf", "Cc", "Mn", "Me"}
_SPACES = re.compile(r"\s+")

_SIMPLE = {opcodes.LITERAL, opcodes.NOT_LITERAL, opcodes.ANY, opcodes.IN, opcodes.AT}


class PolicyError(ValueError):
    """A policy that this product does not evaluate. `field` names the place, such as `banned[2].pattern`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def normalise(text: str) -> str:
    """Fold what looks the same: compatibility forms, case, invisible and combining characters, runs of white
    space.

    NFKC, then case folding, then NFKD without combining marks; so that neither full-width letters nor
    zero-width joiners, accents or line breaks hide a phrase.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    if not folded.isascii():
        folded = "".join(c for c in folded if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    return _SPACES.sub(" ", folded)


@dataclass(frozen=True)
class Policy:
    """A parsed filter. `buffers` says that answers are held back until they were checked."""

    buffers: bool
    message: str
    phrases: Sequence[tuple[str, str]]
    expressions: Sequence[tuple[str, re.Pattern[str]]]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Policy:
        """Read a config's `policy`; raises `PolicyError`. An empty one filters nothing."""
        mode = raw.get("mode", "buffer" if raw.get("banned") else "off")
        if mode not in {"buffer", "off"}:
            raise PolicyError("mode", "Use buffer or off.")
        banned = raw.get("banned") or []
        if not isinstance(banned, list) or len(banned) > MAX_PATTERNS:
            raise PolicyError("banned", f"Use a list of at most {MAX_PATTERNS} entries.")
        phrases: list[tuple[str, str]] = []
        expressions: list[tuple[str, re.Pattern[str]]] = []
        for index, entry in enumerate(banned):
            name, pattern = _entry(entry, f"banned[{index}]")
            if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
                expressions.append((name, compile_expression(pattern[1:-1], f"banned[{index}].pattern")))
            elif phrase := normalise(pattern).strip():
                phrases.append((name, phrase))
            else:
                raise PolicyError(
                    f"banned[{index}].pattern", "Nothing is left of this phrase once it is normalised."
                )
        message = raw.get("message")
        return cls(
            mode == "buffer", message if isinstance(message, str) else "", tuple(phrases), tuple(expressions)
        )

    def check(self, text: str) -> list[str]:
        """The ids of the entries that the text hits, in their order; empty when it may be shown."""
        if not self.buffers:
            return []
        normalised = normalise(text)
        hits = [name for name, phrase in self.phrases if phrase in normalised]
        hits += [name for name, expression in self.expressions if expression.search(normalised)]
        return list(dict.fromkeys(hits))

    @property
    def replacement(self) -> str:
        """What is shown instead of a flagged answer."""
        return self.message or _CONTENT_FILTERED


def _entry(entry: object, where: str) -> tuple[str, str]:
    if not isinstance(entry, dict):
        raise PolicyError(where, "Use an object with id and pattern.")
    name, pattern = entry.get("id"), entry.get("pattern")
    if not isinstance(name, str) or not 0 < len(name) <= 80:
        raise PolicyError(f"{where}.id", "Use a text of 1 to 80 characters.")
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN_CHARS:
        raise PolicyError(f"{where}.pattern", f"Use a text of 1 to {MAX_PATTERN_CHARS} characters.")
    return name, pattern


def compile_expression(source: str, field: str) -> re.Pattern[str]:
    """A regular expression of the safe subset, matched against normalised text. Raises `PolicyError`.

    Allowed: literals, classes, `.`, anchors, groups, alternatives, and repeats with an upper bound (`?`,
    `{0,20}`). Refused: `*`, `+`, back-references, look-around, inline flags.
    """
    # Letters beyond ASCII are folded as the text is; syntax is ASCII and stays as it is.
    source = "".join(char if char.isascii() else normalise(char) for char in source)
    try:
        parsed = regex_parser.parse(source)
        compiled = re.compile(source, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(field, f"Not a regular expression: {error}.") from error
    if parsed.state.flags & ~re.UNICODE:
        raise PolicyError(field, "Inline flags are not allowed; text is normalised and lower-cased first.")
    ways = _ways(parsed, field)
    if ways > MAX_REPEAT_PRODUCT:
        raise PolicyError(field, f"Too many ways to match ({ways}); bound the repeats more tightly.")
    if compiled.match(""):
        raise PolicyError(field, "This expression matches everything, even nothing.")
    return compiled


def _ways(parsed: Any, field: str) -> int:
    """An upper bound of the paths a backtracking matcher can take from one starting point."""
    ways = 1
    for opcode, argument in parsed:
        if opcode in _SIMPLE:
            continue
        if opcode is opcodes.SUBPATTERN:
            ways *= _ways(argument[3], field)
        elif opcode is opcodes.BRANCH:
            ways *= sum(_ways(branch, field) for branch in argument[1])
        elif opcode in {opcodes.MAX_REPEAT, opcodes.MIN_REPEAT}:
            low, high, inner = argument
            if high is opcodes.MAXREPEAT:
                raise PolicyError(
                    field, "Give every repeat an upper bound, such as {0,20} instead of * or +."
                )
            per_round = _ways(inner, field)
            # `n` rounds of `w` ways: at most w^0 + … + w^n, cut off once it is clearly too many.
            ways *= sum(min(per_round**n, MAX_REPEAT_PRODUCT + 1) for n in range(low, min(high, 2_000) + 1))
        else:
            raise PolicyError(field, f"{str(opcode).lower()} is not allowed in this subset.")
        if ways > MAX_REPEAT_PRODUCT:
            return ways
    return ways
