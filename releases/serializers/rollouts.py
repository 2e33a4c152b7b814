"""Rollouts, their rules and decisions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import Text
from promptstore.core.http.project_views import Input
from releases.serializers.base import MAX_TEXT, ReleaseRef


class AdvanceIn(Input):
    """`expected_step` counts from 0 and is the step the person saw."""

    expected_step = serializers.IntegerField(min_value=0, max_value=1_000)
    reason = Text(max_length=MAX_TEXT)


class RollBackIn(Input):
    """In steps, or all of it `at_once`."""

    reason = Text(max_length=MAX_TEXT)
    at_once = serializers.BooleanField(required=False, default=False)


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
    mirrored_bp = serializers.IntegerField()
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


class ShadowOut(serializers.Serializer[Any]):
    """The shadow step that a rollout is in: how many of the answered calls were copied. Money in nano-dollars."""

    copies = serializers.IntegerField()
    answered = serializers.IntegerField()
    spent_nanos = serializers.IntegerField()
    max_cost_nanos = serializers.IntegerField(allow_null=True)
    is_mirroring = serializers.BooleanField()


class RolloutDetailOut(serializers.Serializer[Any]):
    """A rollout with its plan, each rule's verdict and measured course, and every decision, latest first."""

    rollout = RolloutOut()
    plan = serializers.JSONField(source="rollout.promotion.plan")
    samples = serializers.DictField(child=serializers.IntegerField())
    shadow = ShadowOut(allow_null=True)
    seconds_to_go = serializers.IntegerField()
    samples_to_go = serializers.IntegerField()
    waits_for = serializers.ListField(child=serializers.CharField())
    measurements = RuleOut(source="rules", many=True)
    decisions = DecisionOut(many=True)
    withdrawn = serializers.CharField()
