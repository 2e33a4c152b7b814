"""Releases."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import PersonField, Text
from promptstore.core.http.project_views import Input
from registry.versioning import read_version
from releases.serializers.base import ReleaseRef

MAX_CHANGELOG = 10_000


class VersionText(Text):
    """A semantic version; raises `InvalidInput`."""

    def to_internal_value(self, data: Any) -> str:
        return str(read_version(super().to_internal_value(data)))


class ComposeIn(Input):
    """Exact versions to pin; `models` maps role to `name@version`."""

    feature = Text(max_length=80)
    prompts = serializers.DictField(child=Text(max_length=64), allow_empty=False)
    models = serializers.DictField(child=Text(max_length=160), allow_empty=False)
    config = Text(max_length=160)
    primary = Text(max_length=80, required=False)
    version = VersionText(max_length=64, required=False)
    changelog = Text(max_length=MAX_CHANGELOG, required=False, allow_blank=True)


class ReleaseOut(ReleaseRef):
    id = serializers.UUIDField()
    manifest = serializers.JSONField()
    changelog = serializers.CharField()
    composed_by = PersonField()
    contributors = serializers.ListField(child=serializers.UUIDField())
    created_at = serializers.DateTimeField()
