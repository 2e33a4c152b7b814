"""The danger gate: what failed before is asked again, every case of it, of every candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from evals.checks import Check, Outcome, perform
from evals.gates import params as parameters
from evals.gates.base import Gate, GateSubject, Judgement
from evals.gates.danger.expectations import expectations
from evals.gates.params import Param
from evals.gates.suite.judging import judge_suite
from evals.running.calls import misfit
from evals.running.cases import FrozenCases, cases_for
from evals.states import Verdict
from evals.suites import Budget, Pace, StageKind, StageSpec, SuiteSpec
from evals.suites.spec import DatasetRef
from registry.models import DatasetVersion
from registry.policy import PolicyError
from registry.selectors.datasets import cases_of
from registry.services.datasets import freeze_danger

NAME: Final = "danger"
# No limit on cases: every one is asked, or the gate does not pass.
PARAMS: Final = (
    Param("max_seconds", default=240, low=1, high=300),
    Param("max_cost_nanos", default=None, low=1, high=10_000_000_000_000),
    Param("attempts", default=3, low=1, high=5),
    Param("concurrency", default=4, low=1, high=16),
)


def judge(subject: GateSubject, params: Mapping[str, Any]) -> Judgement:
    """Freeze the danger set as it is now and ask all of its cases that this feature can be asked."""
    frozen: DatasetVersion | None = None

    def freeze() -> Outcome:
        nonlocal frozen
        frozen = freeze_danger(project_id=subject.project_id)
        said = f"{frozen.case_count:,} cases" if frozen.case_count else "No former failures yet"
        return Outcome(
            Verdict.PASS, f"{said}: {frozen}.", {"dataset": str(frozen), "dataset_digest": frozen.digest}
        )

    found = perform("frozen", "The danger set is frozen", freeze)
    if frozen is None or not frozen.case_count:
        return Judgement((found,))
    cases, unfit = _askable(frozen, subject)
    checks = (found, *([_unfit(unfit)] if unfit else []))
    if not cases.contents:
        return Judgement((*checks, _nothing_to_ask(cases)))
    try:
        stage = _stage(frozen, subject, cases)
    except PolicyError as error:
        broken = Outcome(Verdict.FAIL, f"The release's policy filter cannot be used: {error}")
        return Judgement((*checks, Check("policy", "The policy filter", broken, duration_ms=0)))
    budget = Budget(max_cost_nanos=params["max_cost_nanos"], max_seconds=params["max_seconds"])
    judged = judge_suite(
        subject,
        SuiteSpec(NAME, (stage,), budget),
        frozen=lambda _ref: cases,
        named={"version": "built in", "digest": frozen.digest},
        pace=Pace(concurrency=params["concurrency"], attempts=params["attempts"]),
    )
    return replace(judged, checks=(*checks, *judged.checks))


def _askable(version: DatasetVersion, subject: GateSubject) -> tuple[FrozenCases, list[str]]:
    """The cases of this feature, and keys of those for any feature whose variables this prompt does not take.

    A case of the feature itself is always asked: one that does not fit any more is an error that somebody has to look at.
    """
    cases = cases_for(version, subject.feature)
    anybodys = {case.key for case in cases_of(version) if case.feature is None}
    unfit = [
        key
        for key, content in cases.contents.items()
        if key in anybodys and misfit(subject.primary_prompt, content.variables)
    ]
    kept = {key: content for key, content in cases.contents.items() if key not in unfit}
    return replace(cases, contents=kept), unfit


def _stage(version: DatasetVersion, subject: GateSubject, cases: FrozenCases) -> StageSpec:
    return StageSpec(
        NAME,
        StageKind.FUNCTIONAL,
        dataset=DatasetRef(version.dataset.name, version.version),
        scorers=expectations(subject, list(cases.contents.values())),
        max_error_share=0.0,
    )


def _unfit(keys: list[str]) -> Check:
    outcome = Outcome(
        Verdict.PASS,
        f"{len(keys):,} cases are for any feature, and this prompt does not take their variables.",
        {"cases": keys},
    )
    return Check("unfit", "Cases that this feature cannot be asked", outcome, duration_ms=0)


def _nothing_to_ask(cases: FrozenCases) -> Check:
    outcome = Outcome(
        Verdict.PASS,
        "No former failure of this feature can be asked.",
        {"of_other_features": len(cases.elsewhere), "erased": list(cases.erased)},
    )
    return Check("asked", "The cases can be asked", outcome, duration_ms=0)


GATE: Final = Gate(NAME, "Former failures", judge, read_params=lambda given: parameters.read(given, PARAMS))
