"""From a suite's stages to the rows of a gate's report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject, Judgement
from evals.running import FrozenCases, StageOutcome, run_stages
from evals.scorers.schema_valid import SCHEMA_VALID
from evals.states import Verdict
from evals.suites import CaseState, Pace, ScorerSpec, StageSpec, Stop, SuiteSpec, report_body
from evals.suites.spec import DatasetRef
from promptstore.core import clock
from promptstore.core.errors import DomainError
from providers.guard import UrlRefusedError
from registry.rendering.errors import RenderError, SpecError

_STOPPED: Final = {
    Stop.CASES: "the budget of cases was used up",
    Stop.COST: "the budget of money was used up",
    Stop.TIME: "the time was used up",
    Stop.CANCELLED: "it was cancelled",
    Stop.SILENT: "the model stopped answering",
}


def judge_suite(
    subject: GateSubject,
    spec: SuiteSpec,
    *,
    frozen: Callable[[DatasetRef], FrozenCases],
    named: Mapping[str, str],
    pace: Pace,
) -> Judgement:
    """Run the stages of `spec`, all of which ask cases: one row for each, and the suite's own report beside them.

    `named` says which stored suite this is. What cannot be asked ends in a row with the verdict `error`.
    """
    spec = replace(spec, stages=tuple(_bound(stage, subject) for stage in spec.stages))
    outcomes: list[StageOutcome] = []
    started = clock.now()

    def ask() -> Outcome:
        try:
            stages = [(stage, frozen(stage.dataset)) for stage in spec.stages if stage.dataset is not None]
            outcomes.extend(run_stages(subject, stages, budget=spec.budget, pace=pace))
        except (SpecError, RenderError) as error:
            return Outcome(Verdict.FAIL, f"The release cannot be called: {error}")
        except (DomainError, ValueError, UrlRefusedError) as error:
            return Outcome(Verdict.ERROR, f"The cases could not be asked: {error}")
        trials = sum(len(list(one.record.rows)) for one in outcomes)
        return Outcome(Verdict.PASS, f"{named['version']}: {trials:,} trials.", dict(named))

    asked = perform("asked", "The cases can be asked", ask)
    rows = [_row(one) for one in outcomes]
    rows += [_left_out(stage) for stage in spec.stages[len(outcomes) :] if outcomes]
    report = report_body(
        spec,
        [one.record for one in outcomes],
        subject=_subject(subject, named),
        started=started,
        finished=clock.now(),
    )
    return Judgement((asked, *rows), suite=report)


def _bound(stage: StageSpec, subject: GateSubject) -> StageSpec:
    """The stage with the prompt's output schema where a scorer asks for a schema and names none."""
    schema = subject.primary_prompt.get("output_schema")

    def bind(spec: ScorerSpec) -> ScorerSpec:
        lacks = spec.scorer is SCHEMA_VALID and spec.params["schema"] is None
        return replace(spec, params={**spec.params, "schema": schema}) if lacks else spec

    return replace(stage, scorers=tuple(bind(spec) for spec in stage.scorers))


def _row(one: StageOutcome) -> Check:
    """One stage. Its limits are evidence and no rows of their own: with too many errors they decide nothing."""
    result = one.record.result
    counts = {state: result.counts.get(state, 0) for state in CaseState}
    sentences = [f"{counts[CaseState.PASS]:,} of {len(result.cases):,} cases pass."]
    sentences += [
        f"{counts[state]:,} {words}."
        for state, words in (
            (CaseState.FAIL, "fail"),
            (CaseState.ERROR, "in error"),
            (CaseState.SKIPPED, "not judged"),
        )
        if counts[state]
    ]
    broken = [
        f"{scorer.id}: {judged.detail}"
        for scorer in result.scorers
        for judged in scorer.judged
        if judged.verdict is not Verdict.PASS
    ]
    sentences += [*broken[:3], *result.notes]
    if one.record.stopped is not None:
        sentences.append(f"It ended early: {_STOPPED[one.record.stopped]}.")
    evidence = {
        "dataset": one.cases.label,
        "dataset_digest": one.cases.digest,
        "erased": list(one.cases.erased),
        "of_other_features": len(one.cases.elsewhere),
        "live": one.live_to_dict(),
    }
    outcome = Outcome(result.verdict, " ".join(sentences), evidence)
    return Check(f"stage-{result.name}", f"Stage {result.name}", outcome, duration_ms=one.took_ms)


def _left_out(stage: StageSpec) -> Check:
    outcome = Outcome(Verdict.INCONCLUSIVE, "It was not asked, because a stage before it ended early.")
    return Check(f"stage-{stage.name}", f"Stage {stage.name}", outcome, duration_ms=0)


def _subject(subject: GateSubject, named: Mapping[str, str]) -> dict[str, Any]:
    live = subject.baseline
    return {
        "release": subject.release_digest,
        "environment": subject.environment,
        "live": live and live.release_digest,
        "suite": dict(named),
    }
