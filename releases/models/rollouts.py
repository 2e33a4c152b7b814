from __future__ import annotations

from django.db import models

from promptstore.core import clock
from promptstore.core.history import ChangeHistory
from promptstore.core.models import InsertOnlyModel, TenantModel
from releases.plans import Plan, Step
from releases.states import GOING_UP, RolloutState

LIVE = ["pending", "running", "paused", "rolling_back"]


class Rollout(TenantModel):
    """The progressive delivery of one promotion. Weights are basis points of a deployment's units.

    `withdrawn_bp` is the highest weight the candidate had when it began to go down: units between the current weight and it
    are withdrawn, and served as `on_withdraw` says until the incident is mitigated. `mirrored_bp` is the share of calls of which
    nodes send the candidate a copy in a shadow step: 0 outside of one, and once its budget is spent.
    """

    promotion = models.OneToOneField("releases.Promotion", on_delete=models.PROTECT, related_name="rollout")
    deployment = models.ForeignKey("releases.Deployment", on_delete=models.PROTECT, related_name="rollouts")
    baseline = models.ForeignKey("releases.Release", null=True, on_delete=models.PROTECT, related_name="+")
    candidate = models.ForeignKey("releases.Release", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, default=RolloutState.PENDING)
    salt = models.CharField(max_length=40)
    step_index = models.PositiveSmallIntegerField(default=0)
    step_entered_at = models.DateTimeField(default=clock.now)
    weight_bp = models.PositiveIntegerField(default=0)
    withdrawn_bp = models.PositiveIntegerField(default=0)
    mirrored_bp = models.PositiveIntegerField(default=0, db_default=0)
    last_moved_at = models.DateTimeField(default=clock.now)
    on_withdraw = models.CharField(max_length=12)
    incident_id = models.UUIDField(null=True)
    pause_reason = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)
    history = ChangeHistory()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in RolloutState]),
                name="rollout_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(weight_bp__lte=10_000), name="rollout_weight_is_a_share"
            ),
            models.UniqueConstraint(
                fields=["deployment"],
                condition=models.Q(state__in=LIVE),
                name="one_live_rollout_per_deployment",
            ),
        ]

    @property
    def is_in_shadow(self) -> bool:
        """Whether it goes up and users get none of its answers: on the way up only shadow steps have no weight."""
        return self.state in GOING_UP and not self.weight_bp

    @property
    def plan(self) -> Plan:
        """The plan that was approved, read anew each time."""
        return Plan.from_dict(self.promotion.plan)

    @property
    def step(self) -> Step:
        """The step of the plan that it is at."""
        return self.plan.steps[self.step_index]

    def __str__(self) -> str:
        return f"rollout of {self.candidate} in {self.deployment.environment.slug}"


class RolloutDecision(TenantModel, InsertOnlyModel):
    """One move of the controller or of a person: from where to where, on which measurements, in sentences."""

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)
    kind = models.CharField(max_length=20)
    actor_name = models.CharField(max_length=160)
    from_state = models.CharField(max_length=20)
    to_state = models.CharField(max_length=20)
    from_weight_bp = models.PositiveIntegerField()
    to_weight_bp = models.PositiveIntegerField()
    step_index = models.PositiveSmallIntegerField()
    sentences = models.JSONField(default=list)
    measurements = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rollout", "number"], name="decision_number_is_unique")
        ]

    def __str__(self) -> str:
        return " ".join(self.sentences) or self.kind


class Measurement(TenantModel, InsertOnlyModel):
    """One evaluation of one rule on new data."""

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="measurements")
    rule_id = models.CharField(max_length=60)
    at = models.DateTimeField(default=clock.now)
    verdict = models.CharField(max_length=12)
    body = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["rollout", "rule_id", "-id"], name="measurement_by_rule")]
