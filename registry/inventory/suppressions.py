"""`promptstore: ignore[reason]` in a comment: somebody looked at the call and said why it may stay."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping

from registry.inventory.sites import printable

_IGNORE = re.compile(r"promptstore:\s*ignore\[([^\]\n]{1,300})\]")


def reason_in(comment: str) -> str:
    """The reason that a comment gives, or an empty text; `ignore[]` without a reason is none."""
    match = _IGNORE.search(comment)
    return printable(match[1].strip()) if match else ""


def python_reasons(source: str) -> dict[int, str]:
    """Line of each such comment → reason. Texts that look like one are none."""
    if "promptstore" not in source:
        return {}
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and (reason := reason_in(token.string)):
                found[token.start[0]] = reason
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def reason_for(reasons: Mapping[int, str], first: int, last: int) -> str:
    """The reason that holds for a call on these lines: on one of them or on the line above."""
    return next(
        (reasons[line] for line in range(first - 1, min(last, first + 200) + 1) if line in reasons), ""
    )
