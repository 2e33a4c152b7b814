"""Suites: cases of a dataset, asked and scored in stages, and what that says of a release. Pure but for the calls of `runner`.

`parse_suite` reads one; `planned` chooses the cases of a stage; `StageRun` asks them and gives rows; `aggregate` makes a result of
rows and those of the live release; `report_body` writes it all down.
"""

from __future__ import annotations

from evals.suites.aggregate import aggregate
from evals.suites.asking import Ask, Pace
from evals.suites.parsing import parse_suite
from evals.suites.purse import Purse, Stop
from evals.suites.reducing import CaseResult, CaseState
from evals.suites.report import StageRecord, report_body
from evals.suites.results import ScorerResult, StageResult
from evals.suites.rows import TrialRow, settled
from evals.suites.runner import Progress, StageRun, SuiteCase
from evals.suites.sampling import planned
from evals.suites.spec import Budget, Reducer, ScorerSpec, StageKind, StageSpec, SuiteSpec

__all__ = [
    "Ask",
    "Budget",
    "CaseResult",
    "CaseState",
    "Pace",
    "Progress",
    "Purse",
    "Reducer",
    "ScorerResult",
    "ScorerSpec",
    "StageKind",
    "StageRecord",
    "StageResult",
    "StageRun",
    "StageSpec",
    "Stop",
    "SuiteCase",
    "SuiteSpec",
    "TrialRow",
    "aggregate",
    "parse_suite",
    "planned",
    "report_body",
    "settled",
]
