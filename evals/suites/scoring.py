"""One answer through all scorers of a stage."""

from __future__ import annotations

import math

import structlog

from evals.scorers import Answer, Case, Score
from evals.suites.rows import TrialRow
from evals.suites.spec import StageSpec

log = structlog.get_logger("evals")


def score_answer(
    stage: StageSpec, case: Case, answer: Answer, *, key: str, trial: int, attempts: int = 1
) -> TrialRow:
    """The row of this answer. A scorer that breaks leaves its id in `crashed`; the others are kept."""
    scores: dict[str, Score] = {}
    crashed = []
    for spec in stage.scorers:
        try:
            score = spec.scorer.score(case, answer, spec.params)
        except Exception:
            # One answer that a scorer cannot take must end neither the run nor the other scorers.
            log.exception("scorer.crashed", scorer=spec.scorer.name, case=key, trial=trial)
            crashed.append(spec.id)
            continue
        if score.value is not None and not math.isfinite(score.value):
            log.error("scorer.not_finite", scorer=spec.scorer.name, case=key, trial=trial)
            crashed.append(spec.id)
            continue
        scores[spec.id] = score
    return TrialRow.answered(
        key, trial, answer=answer, scores=scores, crashed=tuple(crashed), attempts=attempts
    )
