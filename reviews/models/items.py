from __future__ import annotations

from django.db import models

from promptstore.core import clock
from promptstore.core.models import InsertOnlyModel, TenantModel
from reviews.states import ReviewState, SkipReason

MOST_LABELS = 3


class ReviewItem(TenantModel):
    """One answer to judge, copied as it was stored: redacted, with the variables it was made from.

    `fence` counts the claims; what is sent under an older one is refused. `holder` made the latest claim and keeps it, also after
    the lease has run out, until somebody else claims the item or the holder goes on to another one. `arm` is for comparisons and
    is never shown to who labels. `authors` are the ids of those who wrote the prompt; none of them is asked.
    """

    class Arm(models.TextChoices):
        STABLE = "stable", "Stable"
        CANDIDATE = "candidate", "Candidate"

    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    feature = models.ForeignKey("registry.Feature", on_delete=models.PROTECT, related_name="+")
    inference_id = models.UUIDField()
    rollout_id = models.UUIDField(null=True)
    release_digest = models.CharField(max_length=71, default="")
    arm = models.CharField(max_length=12, choices=Arm.choices)
    variables = models.JSONField(null=True)
    output = models.TextField()
    # Of `variables` and `output`: what a label was given on.
    content_digest = models.CharField(max_length=71)
    authors = models.JSONField(default=list)
    state = models.CharField(max_length=12, default=ReviewState.QUEUED)
    priority = models.SmallIntegerField(default=0)
    sampled_at = models.DateTimeField(default=clock.now)
    # How many people are asked.
    overlap = models.PositiveSmallIntegerField(default=1)
    fence = models.PositiveIntegerField(default=0)
    holder = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    leased_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    escalated_because = models.TextField(default="")
    verdict = models.JSONField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    settled_because = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inference_id"], name="one_review_item_per_inference"),
            models.UniqueConstraint(
                fields=["project", "holder"],
                condition=models.Q(state="leased"),
                name="one_review_lease_per_person",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ReviewState]),
                name="review_state_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="leased")
                | models.Q(holder__isnull=False, leased_at__isnull=False, lease_expires_at__isnull=False),
                name="review_lease_has_a_holder",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="settled")
                | models.Q(verdict__isnull=False, settled_at__isnull=False),
                name="settled_review_has_a_verdict",
            ),
            models.CheckConstraint(
                condition=models.Q(overlap__gte=1, overlap__lte=MOST_LABELS), name="review_overlap_is_small"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "-priority", "id"],
                name="review_item_open",
                condition=models.Q(state__in=["queued", "leased"]),
            ),
            models.Index(fields=["project", "state", "-id"], name="review_item_by_state"),
            models.Index(fields=["project", "sampled_at"], name="review_item_by_day"),
            models.Index(fields=["rollout_id", "arm"], name="review_item_by_rollout"),
        ]

    def __str__(self) -> str:
        return f"review of an answer of {self.feature.slug}"


class Skip(TenantModel, InsertOnlyModel):
    """One person passed an item on, and is not asked about it again."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="skips")
    annotator = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=[(reason.value, reason.value) for reason in SkipReason])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "annotator"], name="one_skip_per_item_and_person")
        ]


class EndedRollout(TenantModel, InsertOnlyModel):
    """A rollout that is over. Telemetry of it may still come in; nobody is asked about it."""

    rollout_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "rollout_id"], name="rollout_ends_once_for_reviews")
        ]
