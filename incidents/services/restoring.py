"""After a restore from a backup: messages that were still owed then may have been sent long ago."""

from __future__ import annotations

from uuid import UUID

from incidents.models import Delivery
from incidents.states import DeliveryState


def give_up_pending(*, project_id: UUID, reason: str) -> int:
    """Mark a project's pending messages as failed, so that nobody is alerted a second time; returns how many.

    A message that is still wanted is sent by `replay`, with the id that its receiver knows.
    """
    return Delivery.objects.filter(project_id=project_id, state=DeliveryState.PENDING).update(
        state=DeliveryState.FAILED, claimed_until=None, last_detail=reason[:300]
    )
