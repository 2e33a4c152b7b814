from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

ANY_OBJECT = {"type": "object", "additionalProperties": True}


class InputSerializer(serializers.Serializer[Any]):
    """A request body. A member that nobody reads is a mistake of the caller, so it is refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [key for key in data if key not in self.fields]
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {str(unknown[0])[:80]: [f"Unknown member. Known are: {known}."]}
                )
        return super().to_internal_value(data)


@extend_schema_field(ANY_OBJECT)
class ObjectField(serializers.JSONField):
    """A JSON object whose inside is checked by the service."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Use a JSON object.")
        return data


class PersonField(serializers.CharField):
    """A person by name; null for the product itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return str(value)
