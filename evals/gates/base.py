"""What a gate is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from evals.checks import Check
from evals.subjects import GateSubject

__all__ = ["Gate", "GateSubject", "Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate found. The checks decide; `cases` are single trials, for people who want to see why.

    `suite` is the document of `evals.suites.report_body`, of a gate that asked the cases of a dataset.
    """

    checks: tuple[Check, ...]
    cases: tuple[Mapping[str, Any], ...] = ()
    suite: Mapping[str, Any] | None = None


def _known_everywhere(_project_id: UUID, _params: Mapping[str, Any]) -> None:
    """Most gates name nothing that a project would have to hold."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate by the name that policies use.

    `read_params` turns a policy's parameters into the full set with defaults, and raises `InvalidInput` naming the
    one at fault; `judge` takes what it returned, and `check` asks whether the project has what they name.
    """

    name: str
    title: str
    judge: Callable[[GateSubject, Mapping[str, Any]], Judgement]
    read_params: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(kw_only=True)
    check: Callable[[UUID, Mapping[str, Any]], None] = field(kw_only=True, default=_known_everywhere)
