"""A credential is written into the prompt."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.lint.texts import field_texts

ID = "secret"
HINT: Final = (
    "Remove it from the prompt and revoke it: drafts and versions are readable by the whole project."
)
MIN_ENTROPY_BITS: Final = 3.5

# Every repeat is bounded or followed by what cannot match it, so a search is linear in the text.
KNOWN: Final = (
    (
        "an AWS access key id",
        re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ),
    (
        "a GitHub token",
        re.compile(r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ),
    ("an API key (sk-…)", re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,255}")),
    ("a GitLab token", re.compile(r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,255}")),
    ("a Slack token", re.compile(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,255}")),
    ("a Google API key", re.compile(r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    ("a Promptstore key", re.compile(r"(?<![A-Za-z0-9_])p[ts]_[A-Za-z0-9_-]{32,255}")),
    (
        "a JSON Web Token",
        re.compile(
            r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}"
        ),
    ),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")),
)
ASSIGNED: Final = re.compile(
    r"(?i:password|passwd|secret|token|api[_-]?key|access[_-]?key|credential)s?"
    r"[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
    r"([A-Za-z0-9+/_=.~-]{16,255})"
)


def find_secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, what it looks like)`, in order and without overlaps; the first pattern that knows it
    names it."""
    found: list[tuple[int, int, str]] = []
    for what, pattern in KNOWN:
        found.extend((match.start(), match.end(), what) for match in pattern.finditer(text))
    for match in ASSIGNED.finditer(text):
        if looks_random(match[1]):
            found.append((match.start(1), match.end(1), "an assigned credential"))
    end = -1
    for start, stop, what in sorted(found, key=lambda item: (item[0], -item[1])):
        if start >= end:
            yield start, stop, what
            end = stop


def looks_random(text: str) -> bool:
    """Letters and digits with at least 3.5 bits of Shannon entropy per character: a key, not a word or a
    name."""
    if not (any(c.isdigit() for c in text) and any(c.isalpha() for c in text)):
        return False
    counts = Counter(text)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return entropy >= MIN_ENTROPY_BITS


def check(context: LintContext) -> Iterator[Finding]:
    """Messages by position, schemas and tools by field. The finding never repeats the secret."""
    for index, source in enumerate(context.sources):
        for start, end, what in find_secrets(source):
            yield context.at_span(Finding(ID, Severity.ERROR, _message(what), HINT), index, start, end)
    for field, text in field_texts(context.spec):
        for _start, _end, what in find_secrets(text):
            # The field's own name may be the secret, when it is a key.
            shown = field if text not in field else field.replace(text, "…")
            yield Finding(ID, Severity.ERROR, _message(what), HINT, field=shown)


def _message(what: str) -> str:
    return f"This looks like {what}."


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="The prompt contains a credential",
    explanation="A prompt goes to a model provider with every call, and its versions are kept for good.",
    example="Use api_key = 9f8a7b6c… to call the service",
    fix="Remove it, revoke it, and let the service that executes tools hold credentials.",
    check=check,
)
