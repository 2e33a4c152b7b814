"""Environments and their policies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import PersonField, Text
from promptstore.core.http.project_views import Input
from releases.serializers.base import MAX_TEXT


class PolicyIn(Input):
    body = serializers.JSONField()
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True)


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
