"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`warn` works and should not stay so; `fail` does not work or does not protect."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found and, unless it is fine, how to mend it."""

    check: str
    verdict: Verdict
    detail: str
    mend: str = ""
    unreachable: bool = False


def ok(check: str, detail: str) -> Finding:
    return Finding(check, Verdict.OK, detail)


def warn(check: str, detail: str, mend: str) -> Finding:
    return Finding(check, Verdict.WARN, detail, mend)


def fail(check: str, detail: str, mend: str, *, unreachable: bool = False) -> Finding:
    return Finding(check, Verdict.FAIL, detail, mend, unreachable)
