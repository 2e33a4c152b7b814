"""The versions of an environment's policy, and what changed between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from promptstore.core.models import Environment
from releases.models import EnvironmentPolicy
from releases.policies import Policy
from releases.selectors.policies import policy_of
from releases.selectors.rule_views import RuleView, described
from releases.selectors.steppers import StepView, planned_steps


@dataclass(frozen=True)
class PolicyView:
    """One version of a policy in words; `text` is its JSON, `previous_text` that of the version before."""

    row: EnvironmentPolicy
    policy: Policy
    steps: tuple[StepView, ...]
    rules: tuple[RuleView, ...]
    text: str
    previous_text: str


def policy_versions(environment: Environment) -> list[EnvironmentPolicy]:
    """Newest first."""
    rows = EnvironmentPolicy.objects.select_related("environment", "changed_by").filter(
        environment=environment
    )
    return list(rows.order_by("-number"))


def policy_view(rows: Sequence[EnvironmentPolicy], number: int | None = None) -> PolicyView | None:
    """The version `number` of `rows` (newest first; by default the one in force); `None` where there is none."""
    position = next((i for i, row in enumerate(rows) if number is None or row.number == number), None)
    if position is None:
        return None
    row = rows[position]
    policy = policy_of(row)
    before = rows[position + 1] if position + 1 < len(rows) else None
    return PolicyView(
        row=row,
        policy=policy,
        steps=tuple(planned_steps({"steps": policy.plan.to_dict()["steps"] if policy.plan else []})),
        rules=tuple(described(policy.rules)),
        text=pretty(row.body),
        previous_text=pretty(before.body) if before else "",
    )


def environments(project_id: UUID) -> list[Environment]:
    """In the order in which a release passes them."""
    return list(Environment.objects.filter(project_id=project_id).order_by("position"))


def pretty(body: object) -> str:
    """JSON as people edit it."""
    return json.dumps(body, indent=2, ensure_ascii=False)
