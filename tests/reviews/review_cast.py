"""A queue to test with: answers of a live rollout, sampled as the timetable does it."""

from __future__ import annotations

from typing import Any

from promptstore.core.models import Membership, User
from promptstore.core.permissions import Role
from releases.models import Rollout
from reviews import services
from reviews.claims import Claim
from reviews.models import ReviewItem
from tests.cast import Cast
from tests.traffic import record
from tests.world import World

GOOD = {"factuality": "supported", "tone": "fits"}
BAD = {"factuality": "unsupported", "tone": "off"}


def queue(world: World, settings: Any, *, candidate: int = 1, stable: int = 0, overlap: int = 1) -> Rollout:
    """A rollout whose answers are all in the queue, each asked of `overlap` people."""
    settings.REVIEW_SHARE_BP = 10_000
    rollout = world.roll_out()
    for arm, count in (("candidate", candidate), ("stable", stable)):
        if count:
            record(rollout, arm, count)
    services.enqueue_samples()
    ReviewItem.objects.update(overlap=overlap)
    return rollout


def person(cast: Cast, name: str, *roles: Role) -> Any:
    """One more member; an annotator unless told otherwise."""
    user = User.objects.create_user(username=name, password=None)
    held = [role.value for role in roles or (Role.ANNOTATOR,)]
    Membership.objects.create(project=cast.project, user=user, roles=held)
    cast.users[name] = user
    return cast.actor(name)


def claim(cast: Cast, who: str = "annotator") -> Claim:
    """What this person is given; something must wait."""
    found = services.claim_next(actor=cast.actor(who), project_id=cast.project.pk)
    assert found is not None
    return found


def fields(cast: Cast, claimed: Claim, who: str = "annotator", **more: Any) -> dict[str, Any]:
    """What every call about a claim needs."""
    return {
        "actor": cast.actor(who),
        "project_id": cast.project.pk,
        "item_id": claimed.item_id,
        "fence": claimed.fence,
        **more,
    }


def label(cast: Cast, claimed: Claim, who: str = "annotator", **more: Any) -> Any:
    """Label a claim; `GOOD` unless `answers` say otherwise."""
    given = {"rubric": claimed.rubric.version, "answers": GOOD, **more}
    return services.submit_label(**fields(cast, claimed, who, **given))
