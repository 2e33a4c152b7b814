from __future__ import annotations

from incidents.models import Incident
from incidents.states import IncidentState
from releases.models import Deployment, Rollout
from releases.models.rollouts import LIVE
from releases.states import RolloutState


def routing_of(deployment: Deployment) -> Rollout | None:
    """The rollout that shapes a deployment's traffic now: the live one, or the last one while its units are withdrawn."""
    live = Rollout.objects.select_related("candidate").filter(deployment=deployment, state__in=LIVE).first()
    if live:
        return live
    last = Rollout.objects.select_related("candidate").filter(deployment=deployment).order_by("-id").first()
    return last if last and is_withdrawn(last) else None


def is_withdrawn(rollout: Rollout) -> bool:
    """Whether a rolled back rollout's units still get what `on_withdraw` says: until its incident is mitigated."""
    if rollout.state != RolloutState.ROLLED_BACK or not rollout.incident_id or not rollout.withdrawn_bp:
        return False
    if rollout.on_withdraw == "stable":
        return False
    unmitigated = [IncidentState.OPEN, IncidentState.ACKNOWLEDGED]
    return Incident.objects.filter(pk=rollout.incident_id, state__in=unmitigated).exists()
