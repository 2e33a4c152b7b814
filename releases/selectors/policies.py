from __future__ import annotations

from promptstore.core.errors import Conflict
from promptstore.core.models import Environment
from releases.models import EnvironmentPolicy
from releases.plans import EnvironmentKind
from releases.policies import Policy


def policy_in_force(environment: Environment) -> EnvironmentPolicy:
    """The newest policy of an environment; raises `Conflict` where nobody has set one."""
    row = (
        EnvironmentPolicy.objects.select_related("environment")
        .filter(environment=environment)
        .order_by("-number")
        .first()
    )
    if row is None:
        raise Conflict(
            f"{environment.slug} has no policy yet. An owner sets one under Settings.", code="no_policy"
        )
    return row


def policy_of(row: EnvironmentPolicy) -> Policy:
    """A stored policy as the value that rules are evaluated with."""
    return Policy.from_dict(row.body, kind=EnvironmentKind(row.environment.kind))
