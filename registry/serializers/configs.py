from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promptstore.core.http.fields import ObjectField, PersonField
from promptstore.core.http.project_views import Input
from registry.configs import SCHEMA
from registry.models import ServingConfig, ServingConfigVersion


@extend_schema_field(SCHEMA)
class ConfigBodyField(ObjectField):
    """The body of a serving config."""


class ServingConfigSerializer(serializers.ModelSerializer[ServingConfig]):
    latest_version = serializers.CharField(read_only=True, allow_null=True)
    version_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = ServingConfig
        fields = ["id", "name", "description", "latest_version", "version_count", "archived_at", "created_at"]
        read_only_fields = fields


class ConfigVersionWriteSerializer(Input):
    version = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)
    body = ConfigBodyField()
    changelog = serializers.CharField(required=False, allow_blank=True, default="")


class ConfigVersionSerializer(serializers.ModelSerializer[ServingConfigVersion]):
    name = serializers.CharField(source="config.name", read_only=True)
    body = ConfigBodyField()
    published_by = PersonField()

    class Meta:
        model = ServingConfigVersion
        fields = ["id", "name", "version", "digest", "changelog", "body", "published_by", "created_at"]
        read_only_fields = fields


class DryRunRequestSerializer(Input):
    body = ConfigBodyField()
    variables = ObjectField(required=False, default=dict)
    output = serializers.CharField(required=False, allow_blank=True, default="")


class DryRunSerializer(serializers.Serializer[Any]):
    safe_mode = serializers.CharField(help_text="What safe mode would answer.")
    policy_hits = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of the entries that `output` hits."
    )
    withheld = serializers.BooleanField()
    shown = serializers.CharField(help_text="What the user would see in place of `output`.")
