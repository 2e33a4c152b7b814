"""The JSON document that a gate leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evals.gates.base import Gate, GateSubject, Judgement
from evals.prompts import label
from evals.states import Verdict, worst_of
from evals.versions import versions

FORMAT = 1


def report_body(
    *,
    gate: Gate,
    subject: GateSubject,
    params: Mapping[str, Any],
    judgement: Judgement,
    started: datetime,
    finished: datetime,
) -> dict[str, Any]:
    """`format`, `gate`, `title`, `verdict`, `summary`, `checks`, `cases`, `subject`, `params`, `versions` and times.

    A gate that asked the cases of a dataset adds `suite_report`. The verdict is that of the worst check. Times are ISO 8601
    in UTC; everything is JSON with a canonical form.
    """
    counts = Counter(check.outcome.verdict.value for check in judgement.checks)
    release = subject.release
    return {
        "format": FORMAT,
        "gate": gate.name,
        "title": gate.title,
        "verdict": worst_of(check.outcome.verdict for check in judgement.checks).value,
        "summary": {verdict.value: counts[verdict.value] for verdict in Verdict},
        "checks": [check.to_dict() for check in judgement.checks],
        "cases": [dict(case) for case in judgement.cases],
        **({} if judgement.suite is None else {"suite_report": dict(judgement.suite)}),
        "subject": {
            "release": {"version": release["version"], "digest": subject.release_digest},
            "environment": subject.environment,
            "prompts": [label(prompt) for _, prompt in sorted(release["prompts"].items())],
            "models": {role: label(model) for role, model in sorted(release["models"].items())},
            "config": label(release["config"]),
        },
        "params": dict(params),
        "versions": versions(),
        "started_at": started.isoformat(),
        "finished_at": finished.isoformat(),
    }
