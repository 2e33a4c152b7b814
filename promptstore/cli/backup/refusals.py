"""How these commands say no: exit code 1, a stable code, and what to do."""

from __future__ import annotations

from promptstore.cli.exits import CommandError, Exit


def refused(code: str, detail: str, *, field: str = "") -> CommandError:
    """A finding that stops the command before anything was changed."""
    problem = {"code": code, "title": "Nothing was changed", "detail": detail}
    return CommandError(Exit.FINDINGS, problem | ({"field": field} if field else {}))
