"""What somebody who labels is given: the answer and what it was made from, and nothing that tells the arm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reviews.models import ReviewItem
from reviews.rubrics import ShownRubric


@dataclass(frozen=True, slots=True)
class Claim:
    """An item under a lease. `fence` comes with everything that is sent about it; `expires_at` is when others may be given it."""

    item_id: UUID
    feature: str
    variables: object
    output: str
    fence: int
    expires_at: datetime
    rubric: ShownRubric


def claim_of(item: ReviewItem, rubric: ShownRubric) -> Claim:
    """The claim on an item that is leased; raises `ValueError` for any other."""
    if item.lease_expires_at is None:
        raise ValueError("the item is not leased")
    return Claim(
        item_id=item.pk,
        feature=item.feature.name,
        variables=item.variables,
        output=item.output,
        fence=item.fence,
        expires_at=item.lease_expires_at,
        rubric=rubric,
    )
