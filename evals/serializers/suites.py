"""What the management API takes and gives for suites."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evals.models import Suite, SuiteVersion
from evals.suites.shape import SUITE
from promptstore.core.http.fields import ObjectField, PersonField
from promptstore.core.http.project_views import Input


@extend_schema_field(SUITE)
class SuiteBodyField(ObjectField):
    """A suite: its stages, and a budget for all of them together."""


class SuiteOut(serializers.ModelSerializer[Suite]):
    latest_version = serializers.CharField(read_only=True, allow_null=True)
    version_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Suite
        fields = ["id", "name", "latest_version", "version_count", "created_at"]
        read_only_fields = fields


class SuitePublishIn(Input):
    body = SuiteBodyField()
    version = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)
    changelog = serializers.CharField(required=False, allow_blank=True, default="")


class SuiteVersionOut(serializers.ModelSerializer[SuiteVersion]):
    name = serializers.CharField(source="suite.name", read_only=True)
    body = SuiteBodyField()
    published_by = PersonField()

    class Meta:
        model = SuiteVersion
        fields = ["id", "name", "version", "digest", "changelog", "body", "published_by", "created_at"]
        read_only_fields = fields
