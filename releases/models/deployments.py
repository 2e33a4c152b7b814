from __future__ import annotations

from django.db import models

from promptstore.core import clock
from promptstore.core.models import InsertOnlyModel, TenantModel


class Deployment(TenantModel):
    """One feature in one environment: the stable release and, elsewhere, at most one live rollout.

    Its row is the lock under which a deployment's promotions and rollouts move. `generation` counts those moves.
    """

    feature = models.ForeignKey("registry.Feature", on_delete=models.PROTECT, related_name="+")
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    stable_release = models.ForeignKey(
        "releases.Release", null=True, on_delete=models.PROTECT, related_name="+"
    )
    generation = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feature", "environment"], name="one_deployment_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.feature.slug} in {self.environment.slug}"


class LivePeriod(TenantModel, InsertOnlyModel):
    """The moment from which a release was stable in a deployment. What was live before may be returned to at once."""

    class How(models.TextChoices):
        PROMOTED = "promoted", "Promoted"
        RETURNED = "returned", "Returned to"
        ADOPTED = "adopted", "Adopted as found"

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="live_periods")
    release = models.ForeignKey("releases.Release", on_delete=models.PROTECT, related_name="live_periods")
    since = models.DateTimeField(default=clock.now)
    how = models.CharField(max_length=10, choices=How.choices)
    reason = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["deployment", "-id"], name="live_period_by_deployment")]
