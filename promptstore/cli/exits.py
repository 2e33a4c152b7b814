"""How commands end: exit codes that scripts may rely on, and the one exception that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes. They never change their meaning."""

    FINE = 0
    FINDINGS = 1  # findings, or a gate said no
    USAGE = 2
    INCONCLUSIVE = 3
    UNREACHABLE = 4  # not reachable, or not allowed


class CommandError(Exception):
    """A command cannot go on. `problem` is what the server answered, or the same shape made here."""

    def __init__(self, exit_code: Exit, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.exit_code = exit_code
        self.problem = dict(problem)


def usage(detail: str, *, field: str = "") -> CommandError:
    """The command was called in a way that cannot work; `field` names the option or argument."""
    problem = {"code": "usage", "title": "The command cannot run like this", "detail": detail}
    return CommandError(Exit.USAGE, problem | ({"field": field} if field else {}))


def unreachable(detail: str, *, code: str = "unreachable") -> CommandError:
    """A server cannot be reached, or does not let us in."""
    return CommandError(Exit.UNREACHABLE, {"code": code, "title": "Not reachable", "detail": detail})
