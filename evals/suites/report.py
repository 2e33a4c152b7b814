"""The JSON document that a suite leaves behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Any

from evals.states import Verdict, worst_of
from evals.suites.aggregate import SEED
from evals.suites.purse import Stop
from evals.suites.reducing import CaseResult
from evals.suites.results import StageResult, rounded
from evals.suites.rows import TrialRow
from evals.suites.spec import StageKind, SuiteSpec
from evals.versions import versions
from promptstore.core.errors import InvalidInput
from stats.bootstrap import RESAMPLES

FORMAT = 1
MAX_FULL_CASES = 500
_SCORING = ("sacrebleu", "regex")


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage that ran: its result, the rows behind it, the digest of the dataset's version, and why it ended early, if it did."""

    result: StageResult
    rows: Iterable[TrialRow]
    dataset_digest: str
    stopped: Stop | None = None


def report_body(
    spec: SuiteSpec,
    stages: Sequence[StageRecord],
    *,
    subject: Mapping[str, Any],
    started: datetime,
    finished: datetime,
) -> dict[str, Any]:
    """`format`, `suite` with its digest, `verdict`, `stages`, `subject`, `statistics`, `versions` and times.

    Each stage has its verdict, counts, scorers with their limits, and its cases, the worst first, with their trials; after the
    first `MAX_FULL_CASES` without the texts, so that a report can still be kept and opened. `stages` are those that ran. The
    verdict is the worst of theirs, and no better than `inconclusive` while one that asks cases did not run (`not_run`).
    `subject` says what was asked, as JSON. Everything has a canonical form. Raises `InvalidInput` for a stage that the suite
    does not have.
    """
    not_run = _not_run(spec, stages)
    verdicts = [record.result.verdict for record in stages] + [Verdict.INCONCLUSIVE for _ in not_run]
    return {
        "format": FORMAT,
        "suite": {**spec.to_dict(), "digest": spec.digest},
        "verdict": worst_of(verdicts).value,
        "stages": [_stage(spec, record) for record in stages],
        "not_run": not_run,
        "subject": dict(subject),
        "statistics": {"confidence": 0.95, "bootstrap_resamples": RESAMPLES, "bootstrap_seed": SEED},
        "versions": versions() | {name: metadata.version(name) for name in _SCORING},
        "started_at": started.isoformat(),
        "finished_at": finished.isoformat(),
    }


def _stage(spec: SuiteSpec, record: StageRecord) -> dict[str, Any]:
    name = record.result.name
    stage = next((stage for stage in spec.stages if stage.name == name), None)
    if stage is None or stage.dataset is None:
        raise InvalidInput(f"The suite has no stage “{name}” that asks cases.", field="stages")
    latest: dict[str, dict[int, TrialRow]] = defaultdict(dict)
    for row in record.rows:
        latest[row.case][row.trial] = row
    return {
        **record.result.to_dict(),
        "kind": stage.kind.value,
        "dataset": {"version": str(stage.dataset), "digest": record.dataset_digest},
        "stopped": record.stopped and record.stopped.value,
        "cases": [
            _case(case, latest.get(case.key, {}), full=place < MAX_FULL_CASES)
            for place, case in enumerate(record.result.cases)
        ],
    }


def _case(case: CaseResult, trials: Mapping[int, TrialRow], *, full: bool) -> dict[str, Any]:
    return {
        "key": case.key,
        "state": case.state.value,
        "score": None if case.score is None else rounded(case.score),
        "scorers": {
            name: {"value": rounded(one.value), "passed": one.passed}
            for name, one in sorted(case.reduced.items())
        },
        "trials": [_trial(row, full=full) for _, row in sorted(trials.items())],
    }


def _trial(row: TrialRow, *, full: bool) -> dict[str, Any]:
    trial = row.to_dict()
    del trial["case"]
    if not full:
        del trial["output"], trial["detail"]
        trial["scores"] = {
            name: {"value": score["value"], "passed": score["passed"]}
            for name, score in trial["scores"].items()
        }
    return trial


def _not_run(spec: SuiteSpec, stages: Sequence[StageRecord]) -> list[str]:
    """Names of stages that ask cases and have no result here."""
    ran = {record.result.name for record in stages}
    return [
        stage.name for stage in spec.stages if stage.kind is not StageKind.STATIC and stage.name not in ran
    ]
