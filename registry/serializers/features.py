from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import PersonField
from promptstore.core.http.project_views import Input
from registry.models import Feature


class ApproverSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="user_id")
    name = PersonField(source="user")


class FeatureSerializer(serializers.ModelSerializer[Feature]):
    owner = PersonField()
    approvers = ApproverSerializer(source="appointed_approvers", many=True, read_only=True)

    class Meta:
        model = Feature
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "risk_class",
            "owner",
            "owner_id",
            "approvers",
            "created_at",
        ]
        read_only_fields = fields


class FeatureUpdateSerializer(Input):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    risk_class = serializers.ChoiceField(
        choices=Feature.Risk.choices, required=False, default=Feature.Risk.LIMITED
    )
    owner_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class FeatureCreateSerializer(FeatureUpdateSerializer):
    slug = serializers.CharField(max_length=80)


class AppointSerializer(Input):
    user = serializers.UUIDField(help_text="A member with the role approver or owner.")


class LintPolicySerializer(serializers.Serializer[Any]):
    token_budget = serializers.IntegerField(allow_null=True)
    banned_topics = serializers.ListField(child=serializers.CharField())
    revision = serializers.IntegerField(help_text="0 where the project has no rules of its own.")


class LintPolicyWriteSerializer(Input):
    token_budget = serializers.IntegerField(allow_null=True)
    banned_topics = serializers.ListField(child=serializers.CharField(), max_length=1000)
