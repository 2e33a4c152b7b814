"""The fast redaction tier: personal data and secrets out of text before it touches a disk.

Pure; time linear in the text.

Detectors find spans; a checksum or a range check decides where the form alone would be wrong too often.
Patterns use possessive quantifiers and start only where a run of their characters starts, so that no input
makes them walk a run twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from telemetry.detectors import DETECTORS

MAX_CHARS = 20_000
MAX_DEPTH = 12
MAX_NODES = 1_500
# A secret that the cap cuts in two would not be recognised: look this much further than is kept.
_OVERLAP = 512


def redact(text: str, *, max_chars: int = MAX_CHARS) -> tuple[str, dict[str, int]]:
    """The first `max_chars` of `text` with each finding replaced by `[redacted:<kind>]`, and how many of each
    kind.

    Redacting twice changes nothing more. NUL and lone surrogates, which no database column takes, become
    U+FFFD.
    """
    window = _storable(text[: max_chars + _OVERLAP])
    spans = sorted(
        (start, -end, kind)
        for kind, find in DETECTORS.items()
        for start, end in find(window)
        if start < max_chars
    )
    counts: Counter[str] = Counter()
    pieces: list[str] = []
    position = 0
    for start, minus_end, kind in spans:
        end = -minus_end
        if end <= position:
            continue
        # Overlapping findings: what the later one adds is removed as well.
        pieces.append(window[position : max(start, position)])
        pieces.append(f"[redacted:{kind}]")
        counts[kind] += 1
        position = end
    if position < max_chars:
        pieces.append(window[position:max_chars])
    return "".join(pieces)[:max_chars], dict(counts)


def redact_value(value: Any, *, max_chars: int = MAX_CHARS) -> tuple[Any, dict[str, int]]:
    """`redact` for every text, key and long number inside a JSON value.

    At most `max_chars` characters and `MAX_NODES` values are kept, `MAX_DEPTH` deep; what goes beyond is
    replaced by `[truncated]`.
    """
    budget = _Budget(max_chars)
    result = _walk(value, budget, depth=0)
    return result, dict(budget.counts)


class _Budget:
    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.nodes = MAX_NODES
        self.counts: Counter[str] = Counter()

    def text(self, text: str) -> str:
        if self.characters <= 0 and text:
            return "[truncated]"
        clean, counts = redact(text, max_chars=min(len(text) + _OVERLAP, max(self.characters, 0)))
        self.counts.update(counts)
        self.characters -= len(clean)
        return clean


def _walk(value: Any, budget: _Budget, *, depth: int) -> Any:
    budget.nodes -= 1
    if budget.nodes < 0 or depth > MAX_DEPTH:
        return "[truncated]"
    if isinstance(value, str):
        return budget.text(value)
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if budget.nodes <= 0:
                break
            name = str(key)
            # `{"password": "hunter2"}` reveals its secret by the key, `password: hunter2` by the text: treat
            # both alike.
            if isinstance(item, str) and (found := _secret_by_name(name, item)):
                budget.counts["secret"] += 1
                result[budget.text(name)] = found
            else:
                result[budget.text(name)] = _walk(item, budget, depth=depth + 1)
        return result
    if isinstance(value, list | tuple):
        kept = []
        for item in value:
            if budget.nodes <= 0:
                break
            kept.append(_walk(item, budget, depth=depth + 1))
        return kept
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**11:
        clean = budget.text(str(value))
        return value if clean == str(value) else clean
    return value


def _secret_by_name(name: str, item: str) -> str | None:
    labelled = f"{name}: {item}"
    covered = any(
        start <= len(name) + 2 and end >= len(labelled) for start, end in DETECTORS["secret"](labelled)
    )
    return "[redacted:secret]" if covered and item else None


def _storable(text: str) -> str:
    text = text.replace("\x00", "\ufffd")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
