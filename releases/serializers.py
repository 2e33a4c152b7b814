"""What the management API takes and gives for releases, promotions and rollouts. No logic: services decide."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.project_views import Input
from registry.versioning import read_version

MAX_TEXT = 2_000
MAX_CHANGELOG = 10_000


class Text(serializers.CharField):
    """A JSON string; numbers and booleans are not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class VersionText(Text):
    """A semantic version; raises `InvalidInput`."""

    def to_internal_value(self, data: Any) -> str:
        return str(read_version(super().to_internal_value(data)))


# --- in ------------------------------------------------------------------------------------------------------------


class ComposeIn(Input):
    """Exact versions to pin; `models` maps role to `name@version`."""

    feature = Text(max_length=80)
    prompts = serializers.DictField(child=Text(max_length=64), allow_empty=False)
    models = serializers.DictField(child=Text(max_length=160), allow_empty=False)
    config = Text(max_length=160)
    primary = Text(max_length=80, required=False)
    version = VersionText(max_length=64, required=False)
    changelog = Text(max_length=MAX_CHANGELOG, required=False, allow_blank=True)


class PromotionIn(Input):
    """A release by digest, or by version and feature, and where it shall go."""

    release = Text(max_length=80)
    feature = Text(max_length=80, required=False)
    environment = Text(max_length=63)
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True)
    plan = serializers.JSONField(required=False)


class ApproveIn(Input):
    """The digests are those that the approver saw; an approval of anything else is refused."""

    release_digest = Text(max_length=71)
    evidence_digest = Text(max_length=71)
    comment = Text(max_length=MAX_TEXT, required=False, allow_blank=True)


class ReasonIn(Input):
    reason = Text(max_length=MAX_TEXT)


class OptionalReasonIn(Input):
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True)


class NothingIn(Input):
    """An empty object."""


class PlanIn(Input):
    plan = serializers.JSONField()
    reason = Text(max_length=MAX_TEXT)


class AdvanceIn(Input):
    """`expected_step` counts from 0 and is the step the person saw."""

    expected_step = serializers.IntegerField(min_value=0, max_value=1_000)
    reason = Text(max_length=MAX_TEXT)


class RollBackIn(Input):
    """In steps, or all of it `at_once`."""

    reason = Text(max_length=MAX_TEXT)
    at_once = serializers.BooleanField(required=False, default=False)


class ReturnIn(Input):
    """A release that was live in this deployment before, by digest or version."""

    release = Text(max_length=80)
    reason = Text(max_length=MAX_TEXT)


class PolicyIn(Input):
    body = serializers.JSONField()
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True)


# --- out -----------------------------------------------------------------------------------------------------------


class PersonField(serializers.CharField):
    """A person's display name, or `null` where the product or a key acted."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return str(value)


class ReleaseRef(serializers.Serializer[Any]):
    """A release by name."""

    feature = serializers.CharField(source="feature.slug")
    version = serializers.CharField()
    digest = serializers.CharField()


class ReleaseOut(ReleaseRef):
    id = serializers.UUIDField()
    manifest = serializers.JSONField()
    changelog = serializers.CharField()
    composed_by = PersonField()
    contributors = serializers.ListField(child=serializers.UUIDField())
    created_at = serializers.DateTimeField()


class EnvironmentOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    position = serializers.IntegerField()


class PolicyOut(serializers.Serializer[Any]):
    environment = serializers.CharField(source="environment.slug")
    number = serializers.IntegerField()
    digest = serializers.CharField()
    body = serializers.JSONField()
    changed_by = PersonField()
    created_at = serializers.DateTimeField()


class PromotionOut(serializers.Serializer[Any]):
    """A promotion in a list."""

    id = serializers.UUIDField()
    release = ReleaseRef()
    environment = serializers.CharField(source="deployment.environment.slug")
    base_release = serializers.CharField(source="base_release.version", allow_null=True, default=None)
    state = serializers.CharField()
    outcome = serializers.CharField()
    reason = serializers.CharField()
    requested_by = PersonField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    rollout = serializers.UUIDField(source="rollout.pk", allow_null=True, default=None)


class GateOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    verdict = serializers.CharField()
    digest = serializers.CharField()


class VoteOut(serializers.Serializer[Any]):
    """`why_not` says why an approval does not count (any more); empty when it does."""

    person = serializers.CharField()
    choice = serializers.CharField()
    at = serializers.DateTimeField()
    comment = serializers.CharField()
    why_not = serializers.CharField()


class PromotionDetailOut(serializers.Serializer[Any]):
    """A promotion with its gates, votes and whose turn it is. Approving needs both digests."""

    promotion = PromotionOut()
    check_round = serializers.IntegerField(source="promotion.check_round")
    release_digest = serializers.CharField(source="promotion.release.digest")
    evidence_digest = serializers.CharField(source="evidence.digest", allow_null=True, default=None)
    policy_number = serializers.IntegerField(source="promotion.policy.number")
    policy_digest = serializers.CharField(source="promotion.policy.digest")
    plan = serializers.JSONField(source="promotion.plan")
    plan_digest = serializers.CharField(source="promotion.plan_digest")
    gates = GateOut(many=True)
    quorum = serializers.IntegerField(source="policy.quorum")
    approvals = serializers.IntegerField()
    votes = VoteOut(many=True)
    turn = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    why_not_vote = serializers.CharField()


class RolloutOut(serializers.Serializer[Any]):
    """A rollout in a list. Weights in basis points."""

    id = serializers.UUIDField()
    promotion = serializers.UUIDField(source="promotion_id")
    deployment = serializers.UUIDField(source="deployment_id")
    environment = serializers.CharField(source="deployment.environment.slug")
    candidate = ReleaseRef()
    baseline = ReleaseRef(allow_null=True)
    state = serializers.CharField()
    step = serializers.IntegerField(source="step_index")
    step_entered_at = serializers.DateTimeField()
    weight_bp = serializers.IntegerField()
    withdrawn_bp = serializers.IntegerField()
    on_withdraw = serializers.CharField()
    incident = serializers.UUIDField(source="incident_id", allow_null=True)
    pause_reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class RuleOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    when = serializers.CharField()
    action = serializers.CharField()
    severity = serializers.CharField()
    min_samples = serializers.IntegerField()
    verdict = serializers.CharField()
    sentences = serializers.ListField(child=serializers.CharField())
    charts = serializers.ListField(child=serializers.JSONField())


class DecisionOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    actor = serializers.CharField(source="actor_name")
    from_state = serializers.CharField()
    to_state = serializers.CharField()
    from_weight_bp = serializers.IntegerField()
    to_weight_bp = serializers.IntegerField()
    step = serializers.IntegerField(source="step_index")
    sentences = serializers.ListField(child=serializers.CharField())
    measurements = serializers.JSONField()


class RolloutDetailOut(serializers.Serializer[Any]):
    """A rollout with its plan, each rule's verdict and measured course, and every decision, latest first."""

    rollout = RolloutOut()
    plan = serializers.JSONField(source="rollout.promotion.plan")
    samples = serializers.DictField(child=serializers.IntegerField())
    seconds_to_go = serializers.IntegerField()
    samples_to_go = serializers.IntegerField()
    waits_for = serializers.ListField(child=serializers.CharField())
    measurements = RuleOut(source="rules", many=True)
    decisions = DecisionOut(many=True)
    withdrawn = serializers.CharField()


class DeploymentOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    feature = serializers.CharField(source="feature.slug")
    environment = serializers.CharField(source="environment.slug")
    stable_release = ReleaseRef(allow_null=True)
    generation = serializers.IntegerField()


class ReleaseNameOut(serializers.Serializer[Any]):
    version = serializers.CharField()
    digest = serializers.CharField()


class ActiveCandidateOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    weight_bp = serializers.IntegerField()
    candidate = ReleaseNameOut()


class ActiveOut(serializers.Serializer[Any]):
    """What is stable now, with content; the shape of the serving API's `resolve` without a unit."""

    feature = serializers.CharField()
    environment = serializers.CharField()
    generation = serializers.IntegerField()
    arm = serializers.CharField()
    release = ReleaseNameOut()
    prompt = serializers.JSONField()
    prompts = serializers.DictField(child=serializers.JSONField())
    model = serializers.JSONField()
    models = serializers.DictField(child=serializers.JSONField())
    config = serializers.JSONField()
    rollout = ActiveCandidateOut(allow_null=True)
