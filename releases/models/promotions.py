from __future__ import annotations

from django.db import models

from promptstore.core.history import ChangeHistory
from promptstore.core.models import InsertOnlyModel, TenantModel
from releases.states import PromotionState


class Promotion(TenantModel):
    """A request to bring a release to an environment: gates, approvals, rollout."""

    deployment = models.ForeignKey("releases.Deployment", on_delete=models.PROTECT, related_name="promotions")
    release = models.ForeignKey("releases.Release", on_delete=models.PROTECT, related_name="promotions")
    # What was stable when the request was made; the release must still replace exactly this.
    base_release = models.ForeignKey(
        "releases.Release", null=True, on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey("releases.EnvironmentPolicy", on_delete=models.PROTECT, related_name="+")
    plan = models.JSONField()
    plan_digest = models.CharField(max_length=71)
    state = models.CharField(max_length=20, default=PromotionState.DRAFTED)
    check_round = models.PositiveIntegerField(default=0)
    reason = models.TextField(default="")
    outcome = models.TextField(default="")
    requested_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    history = ChangeHistory(excluded_fields=["plan"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in PromotionState]),
                name="promotion_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["deployment", "release"],
                condition=models.Q(
                    state__in=["drafted", "checking", "awaiting_approval", "approved", "rolling_out"]
                ),
                name="one_open_promotion_per_release",
            ),
        ]
        indexes = [models.Index(fields=["project", "state", "-id"], name="promotion_by_state")]

    def __str__(self) -> str:
        return f"{self.release} to {self.deployment.environment.slug}"


class Evidence(TenantModel, InsertOnlyModel):
    """The reports of one round of checks, under one digest."""

    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="evidence")
    check_round = models.PositiveIntegerField()
    verdict = models.CharField(max_length=12)
    reports = models.JSONField()
    digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["promotion", "check_round"], name="one_evidence_per_round"),
        ]


class Vote(TenantModel, InsertOnlyModel):
    """One person's decision, bound to exactly what they saw. It counts only while all of it is still in force."""

    class Choice(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="votes")
    user = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=10, choices=Choice.choices)
    release_digest = models.CharField(max_length=71)
    evidence_digest = models.CharField(max_length=71)
    policy_digest = models.CharField(max_length=71)
    plan_digest = models.CharField(max_length=71)
    comment = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "promotion",
                    "user",
                    "release_digest",
                    "evidence_digest",
                    "policy_digest",
                    "plan_digest",
                ],
                name="one_vote_per_person_and_binding",
            )
        ]
