"""A run in numbers and in a sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from evals.probes.asking import Asked
from evals.probes.comparison import Comparison
from evals.states import ProbeOutcome
from stats.histogram import LogHistogram


def summary_of(asked: Asked, comparison: Comparison | None) -> dict[str, Any]:
    """How many questions were asked and answered, failures by kind, latencies (within 2 %), tokens, and the counts behind the
    difference. Latency and length are for people: they decide nothing.
    """
    latencies = LogHistogram.of(value for one in asked.cases for value in one.latency_ms)
    tokens = [value for one in asked.cases for value in one.output_tokens]
    failures: Counter[str] = Counter()
    for one in asked.cases:
        failures.update(one.failures)
    answered = sum(len(one.answers) for one in asked.cases)
    found: dict[str, Any] = {
        "asked": answered + sum(failures.values()),
        "answered": answered,
        "failures": dict(failures),
        "problem": asked.problem,
        "latency_histogram": latencies.to_json(),
        "p50_latency_ms": _whole(latencies.quantile(0.5)),
        "p95_latency_ms": _whole(latencies.quantile(0.95)),
        "mean_output_tokens": round(fmean(tokens), 1) if tokens else None,
    }
    if comparison is not None:
        found |= {
            "compared": comparison.compared,
            "changed": comparison.changed,
            "noise_compared": comparison.noise_compared,
            "noise_changed": comparison.noise_changed,
        }
    return found


def cases_of(asked: Asked, comparison: Comparison | None) -> list[dict[str, Any]]:
    """Each case with its answers and what the comparison says of it; `changed` is null where it was not compared."""
    changes = {change.id: change for change in comparison.cases} if comparison else {}
    rows = []
    for one in asked.cases:
        change = changes.get(one.case.id)
        rows.append(
            {
                **one.to_dict(),
                "changed": change.changed if change else None,
                "difference": round(change.difference, 4) if change else None,
                "noise": round(change.noise, 4) if change else None,
            }
        )
    return rows


def sentence(
    *,
    outcome: str,
    summary: dict[str, Any],
    difference: float | None,
    lower: float | None,
    upper: float | None,
    threshold: float,
) -> str:
    """What a run found, for people."""
    if outcome == ProbeOutcome.UNREADABLE:
        because = f" {summary['problem'].rstrip('.')}." if summary.get("problem") else ""
        return f"Only {_of(summary['answered'], summary['asked'])} questions were answered, so nothing can be said.{because}"
    if outcome == ProbeOutcome.BASELINE:
        return f"These are the first answers ({_of(summary['answered'], summary['asked'])}); later runs are compared with them."
    if difference is None or lower is None or upper is None:
        return "Too few questions were answered in both runs to compare them."
    return (
        f"{_of(summary['changed'], summary['compared'])} answers changed since the baseline, "
        f"{_of(summary['noise_changed'], summary['noise_compared'])} by chance alone: a difference of {difference:.0%} "
        f"(95% interval {lower:.0%} to {upper:.0%}; drift is an interval above {threshold:.0%})."
    )


def changed_cases(cases: Sequence[dict[str, Any]], before: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changed cases, the most changed first, each with an answer that is typical of either side."""
    known = {case["id"]: case for case in before}
    changed = sorted(
        (case for case in cases if case.get("changed")), key=lambda case: -(case["difference"] or 0)
    )
    return [
        {
            "id": case["id"],
            "topic": case["topic"],
            "prompt": case["prompt"],
            "difference": case["difference"],
            "before": _typical(known[case["id"]]["answers"]) if case["id"] in known else "",
            "after": _typical(case["answers"]),
        }
        for case in changed
    ]


def _typical(answers: Sequence[str]) -> str:
    return Counter(answers).most_common(1)[0][0] if answers else ""


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}"


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
