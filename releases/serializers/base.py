"""What the API of releases is made of: reasons, and releases by name."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import Text
from promptstore.core.http.project_views import Input

MAX_TEXT = 2_000


class ReasonIn(Input):
    reason = Text(max_length=MAX_TEXT)


class OptionalReasonIn(Input):
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True)


class NothingIn(Input):
    """An empty object."""


class ReleaseRef(serializers.Serializer[Any]):
    """A release by name."""

    feature = serializers.CharField(source="feature.slug")
    version = serializers.CharField()
    digest = serializers.CharField()
