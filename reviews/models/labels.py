from __future__ import annotations

from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel
from reviews.models.items import MOST_LABELS, ReviewItem


class Rubric(TenantModel, InsertOnlyModel):
    """A version of what people are asked: questions with their choices and keys (`reviews.rubrics`)."""

    version = models.PositiveIntegerField()
    body = models.JSONField()
    digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="rubric_version_is_unique")
        ]

    def __str__(self) -> str:
        return f"rubric {self.version}"


class Label(TenantModel, InsertOnlyModel):
    """One person's answers about one item: under which rubric, under which claim, and on which text."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="labels")
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    annotator = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField(default=1)
    answers = models.JSONField()
    comment = models.TextField(default="")
    fence = models.PositiveIntegerField()
    content_digest = models.CharField(max_length=71)
    # From the claim to the answer, by the server's clock.
    took_ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "annotator"], name="one_label_per_item_and_person"),
            models.UniqueConstraint(fields=["item", "position"], name="one_label_per_item_and_position"),
            models.UniqueConstraint(fields=["item", "fence"], name="one_label_per_claim"),
            models.CheckConstraint(
                condition=models.Q(position__gte=1, position__lte=MOST_LABELS),
                name="label_position_is_small",
            ),
        ]
        indexes = [models.Index(fields=["project", "annotator", "-id"], name="label_by_person")]

    def __str__(self) -> str:
        return f"label {self.position} of {self.item_id}"
