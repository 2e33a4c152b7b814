"""Reads: reports by digest and by release."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from evals.models import GateReport
from evals.states import Verdict, severity_rank
from promptstore.core.errors import NotFound


def report_by_digest(*, project_id: UUID, digest: str) -> GateReport:
    """A report of this project; raises `NotFound`."""
    report = GateReport.objects.filter(project_id=project_id, digest=digest).first()
    if report is None:
        raise NotFound("There is no report with this digest in this project.", field="digest")
    return report


def reports_of_release(*, project_id: UUID, release_digest: str) -> QuerySet[GateReport]:
    """Every report on a release, newest first."""
    return GateReport.objects.filter(project_id=project_id, release_digest=release_digest).order_by("-id")


def worst_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with a `verdict` so that what needs a look comes first; otherwise in their order."""
    return sorted(rows, key=lambda row: severity_rank(Verdict(row["verdict"])))
