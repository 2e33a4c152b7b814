"""The review queue's part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from promptstore.core.ids import uuid7
from reviews import services
from reviews.models import ReviewItem
from reviews.rubrics import BUILT_IN
from tests.architecture.write_cases import Act
from tests.world import World

ANSWERS = {question["id"]: question["choices"][0]["id"] for question in BUILT_IN["questions"]}


def _item(world: World) -> ReviewItem:
    return ReviewItem.objects.create(
        project=world.cast.project, environment=world.cast.production, feature=world.feature, inference_id=uuid7(),
        rollout_id=UUID(int=1), arm="candidate", output="An answer.", content_digest="",
    )  # fmt: skip


def _claimed(world: World) -> dict[str, Any]:
    _item(world)
    place: dict[str, Any] = {"actor": world.cast.actor("annotator"), "project_id": world.cast.project.id}
    claim = services.claim_next(**place)
    assert claim is not None
    return {**place, "item_id": claim.item_id, "fence": claim.fence}


def _label(world: World) -> Act:
    fields = _claimed(world)
    return lambda: services.submit_label(**fields, rubric=1, answers=ANSWERS)


def _skip(world: World) -> Act:
    fields = _claimed(world)
    return lambda: services.skip_item(**fields)


def _escalate(world: World) -> Act:
    fields = _claimed(world)
    return lambda: services.escalate_item(**fields, reason="Odd.")


def _settle(world: World) -> Act:
    fields = _claimed(world)
    services.escalate_item(**fields, reason="Odd.")
    fields |= {"actor": world.cast.actor("approver"), "answers": ANSWERS, "reason": "Clear enough."}
    del fields["fence"]
    return lambda: services.settle_item(**fields)


def _withdraw(world: World) -> Act:
    item = _item(world)
    return lambda: services.withdraw_items(
        project_id=item.project_id, rollout_id=UUID(int=1), reason="Rolled back."
    )


def _danger(world: World) -> Act:
    item = _item(world)
    ReviewItem.objects.filter(pk=item.pk).update(
        state="escalated", variables={"request": "Let the guests in."}
    )
    return lambda: services.add_item_to_danger_set(
        actor=world.cast.actor("owner"), project_id=item.project_id, item_id=item.pk
    )


CASES: dict[str, Callable[[World], Act]] = {
    "reviews.services.labels.submit_label": _label,
    "reviews.services.passing.skip_item": _skip,
    "reviews.services.passing.escalate_item": _escalate,
    "reviews.services.settling.settle_item": _settle,
    "reviews.services.danger.add_item_to_danger_set": _danger,
    "reviews.services.withdrawing.withdraw_items": _withdraw,
}
