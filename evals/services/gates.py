"""Running a gate. The product itself does this, so no permission is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from evals.gates import GateSubject, gate_by_name
from evals.models import GateReport
from evals.reports import report_body
from promptstore.core import clock
from promptstore.core.digests import digest_json

__all__ = ["GateSubject", "check_params", "run_gate"]


def check_params(*, project_id: UUID, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The gate's parameters with defaults filled in, for a policy that is being saved.

    Raises `InvalidInput` for an unknown gate or parameter, or a value out of bounds, and `NotFound` for a suite that the project
    does not have.
    """
    gate = gate_by_name(name)
    found = dict(gate.read_params(params))
    gate.check(project_id, found)
    return found


def run_gate(*, name: str, subject: GateSubject, params: Mapping[str, Any] | None = None) -> GateReport:
    """Run one gate to its verdict and keep the report, under its digest, for ever.

    May call models and take minutes, so it holds no lock and no transaction. Always ends in a report, whatever goes wrong
    inside; raises only `InvalidInput` for an unknown gate or parameter.
    """
    gate = gate_by_name(name)
    chosen = gate.read_params(params or {})
    started = clock.now()
    judgement = gate.judge(subject, chosen)
    body = report_body(
        gate=gate, subject=subject, params=chosen, judgement=judgement, started=started, finished=clock.now()
    )
    return GateReport.objects.get_or_create(
        project_id=subject.project_id,
        digest=digest_json(body),
        defaults={
            "gate": gate.name,
            "release_digest": subject.release_digest,
            "verdict": body["verdict"],
            "body": body,
        },
    )[0]
