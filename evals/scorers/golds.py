"""The right answers of a case as texts."""

from __future__ import annotations

from evals.scorers.base import Case
from registry.rendering.json_values import compact_json

MISSING = "The case has no expected answer."


def golds(case: Case) -> tuple[str, ...]:
    """Every text that is right: the expected text, each element of an expected list, other JSON in its compact form.

    Empty where nothing is expected.
    """
    expected = case.expected
    if expected is None:
        return ()
    return tuple(map(_text, expected)) if isinstance(expected, list | tuple) else (_text(expected),)


def _text(value: object) -> str:
    return value if isinstance(value, str) else compact_json(value)
