"""What the trials together say: one row per question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject
from evals.gates.smoke.trials import Trial
from evals.requests import DEFAULT_TIMEOUT_MS
from evals.states import Verdict
from registry.policy import Policy
from stats.intervals import wilson


def checks(subject: GateSubject, trials: Sequence[Trial], params: Mapping[str, Any]) -> Iterator[Check]:
    """Answered, valid, in time, complete, and nothing for the policy filter."""
    answers = [trial for trial in trials if trial.answered]
    share = params["min_valid_share"]
    yield perform("answered", "The model answers every canned input", lambda: _answered(trials))
    yield perform("output_valid", "Outputs are valid", lambda: _valid(answers, share))
    yield perform(
        "latency", "Answers come in time", lambda: _latency(subject, trials, params["max_latency_ms"])
    )
    yield perform("complete", "No answer is cut short", lambda: _complete(answers, share))
    yield perform("policy", "The policy filter has nothing to withhold", lambda: _policy(subject, answers))


def _answered(trials: Sequence[Trial]) -> Outcome:
    missing = [trial for trial in trials if not trial.answered]
    if not missing:
        return Outcome(Verdict.PASS, f"{_of(len(trials), len(trials))} answered.")
    kinds = sorted({trial.reply.failure.kind.value for trial in missing if trial.reply.failure})
    evidence = {"failures": {trial.input.name: trial.sentence for trial in missing}, "kinds": kinds}
    # A request that the provider refuses is the release's fault. Slowness is, too, where the endpoint does answer
    # others; anything else says nothing about the release.
    verdict = Verdict.FAIL if any(_own_fault(trial, trials) for trial in missing) else Verdict.ERROR
    return Outcome(
        verdict, f"{_of(len(missing), len(trials))} got no answer. {missing[0].sentence}", evidence
    )


def _own_fault(missing: Trial, trials: Sequence[Trial]) -> bool:
    return missing.verdict is Verdict.FAIL or (missing.timed_out and any(trial.answered for trial in trials))


def _valid(answers: Sequence[Trial], share: float) -> Outcome:
    good = [trial for trial in answers if trial.valid]
    return _share(good, answers, share, "valid", {t.input.name: t.sentence for t in answers if not t.valid})


def _complete(answers: Sequence[Trial], share: float) -> Outcome:
    whole = [trial for trial in answers if not trial.cut_short]
    reasons = {t.input.name: t.result.finish_reason for t in answers if t.cut_short and t.result}
    return _share(whole, answers, share, "complete", reasons)


def _share(
    good: Sequence[Trial], answers: Sequence[Trial], share: float, word: str, faults: Mapping[str, str]
) -> Outcome:
    if not answers:
        return Outcome(Verdict.INCONCLUSIVE, "There is no answer to judge.")
    needed = ceil(share * len(answers) - 1e-9)
    interval = wilson(len(good), len(answers))
    evidence = {
        "good": len(good),
        "of": len(answers),
        "share": interval.estimate,
        "lower": interval.lower,
        "upper": interval.upper,
        "needed_share": share,
        "faults": dict(faults),
    }
    detail = f"{_of(len(good), len(answers))} {word}; at least {needed} needed ({share:.0%})."
    return Outcome(Verdict.PASS if len(good) >= needed else Verdict.FAIL, detail, evidence)


def _latency(subject: GateSubject, trials: Sequence[Trial], budget_ms: int | None) -> Outcome:
    timeout_ms = subject.limit("timeout_ms", DEFAULT_TIMEOUT_MS)
    limit_ms = min(timeout_ms, budget_ms or timeout_ms)
    times = {trial.input.name: trial.result.latency_ms for trial in trials if trial.result}
    evidence = {"latency_ms": times, "limit_ms": limit_ms, "timeout_ms": timeout_ms}
    late = [trial for trial in trials if trial.timed_out]
    if not times:
        return Outcome(Verdict.INCONCLUSIVE, "There is no answer to time.", evidence)
    if late:
        return Outcome(
            Verdict.FAIL, f"{_of(len(late), len(trials))} took longer than {timeout_ms:,} ms.", evidence
        )
    slowest = max(times.values())
    verdict = Verdict.PASS if slowest <= limit_ms else Verdict.FAIL
    return Outcome(
        verdict, f"The slowest answer took {slowest:,} ms; the limit is {limit_ms:,} ms.", evidence
    )


def _policy(subject: GateSubject, answers: Sequence[Trial]) -> Outcome:
    if not answers:
        return Outcome(Verdict.INCONCLUSIVE, "There is no answer to look at.")
    hits = {trial.input.name: list(trial.policy_reasons) for trial in answers if trial.policy_reasons}
    if hits:
        return Outcome(Verdict.FAIL, f"{_of(len(hits), len(answers))} would be withheld.", {"hits": hits})
    if not Policy.parse(subject.config.get("policy") or {}).buffers:
        return Outcome(Verdict.PASS, "The filter is off, so nothing is withheld.")
    return Outcome(Verdict.PASS, f"None of {len(answers)} answers is withheld.")


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}"
