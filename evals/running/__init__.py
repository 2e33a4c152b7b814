"""Asking the stages of a suite: frozen cases to the model of a release, within a budget, beside the live release."""

from __future__ import annotations

from evals.running.cases import FrozenCases, frozen_cases
from evals.running.stages import StageOutcome, run_stages

__all__ = ["FrozenCases", "StageOutcome", "frozen_cases", "run_stages"]
