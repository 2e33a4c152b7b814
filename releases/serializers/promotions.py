"""Promotions, their gates and votes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import PersonField, Text
from promptstore.core.http.project_views import Input
from releases.serializers.base import MAX_TEXT, ReleaseRef


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


class PlanIn(Input):
    plan = serializers.JSONField()
    reason = Text(max_length=MAX_TEXT)


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
