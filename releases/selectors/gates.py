"""The gates of a promotion and what each found."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evals.models import GateReport
from releases.models import Evidence, Promotion
from releases.policies import Policy
from releases.states import PromotionState

_TITLES = {
    "static": ("Static checks", "Manifest, lint, token counts, schemas"),
    "smoke": ("Smoke calls", "Canned inputs: output schema and latency"),
    "functional": ("Functional suite", "Cases with checks of right and wrong"),
    "quality": ("Quality suite", "Held-out cases, beside the live release"),
    "danger": ("Former failures", "Every case of the danger set, in every promotion"),
}


@dataclass(frozen=True)
class GateView:
    """One gate. `verdict` is `pending`, `running`, or what the report says; `report_id` leads to the evidence."""

    name: str
    title: str
    what: str
    verdict: str
    digest: str = ""
    report_id: UUID | None = None


def gates_of(promotion: Promotion, policy: Policy, evidence: Evidence | None) -> list[GateView]:
    """The policy's gates in order, with the current round's reports where they are in."""
    rows = {row["gate"]: row for row in evidence.reports} if evidence else {}
    reports = _report_ids(promotion.project_id, [row["digest"] for row in rows.values()])
    waiting = "running" if promotion.state == PromotionState.CHECKING else "pending"
    views = []
    for name in policy.gates:
        title, what = _TITLES.get(name, (f"{name.capitalize()} gate", ""))
        row = rows.get(name)
        views.append(
            GateView(
                name=name,
                title=title,
                what=what,
                verdict=row["verdict"] if row else waiting,
                digest=row["digest"] if row else "",
                report_id=reports.get(row["digest"]) if row else None,
            )
        )
    return views


def _report_ids(project_id: UUID, digests: list[str]) -> dict[str, UUID]:
    if not digests:
        return {}
    rows = GateReport.objects.filter(project_id=project_id, digest__in=digests).order_by("id")
    return dict(rows.values_list("digest", "pk"))
