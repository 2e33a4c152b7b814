"""Fields of the management API: strict on what comes in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

ANY_OBJECT = {"type": "object", "additionalProperties": True}


class Text(serializers.CharField):
    """A JSON string; numbers and booleans are not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field(ANY_OBJECT)
class ObjectField(serializers.JSONField):
    """A JSON object whose inside is checked by the service."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Use a JSON object.")
        return data


class PersonField(serializers.CharField):
    """A person's display name, or `null` where the product or a key acted."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return str(value)
