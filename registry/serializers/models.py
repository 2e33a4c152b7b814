from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promptstore.core.http.fields import ObjectField, PersonField
from promptstore.core.http.project_views import Input
from registry import entries
from registry.models import LanguageModel, ModelVersion


class LanguageModelSerializer(serializers.ModelSerializer[LanguageModel]):
    latest_version = serializers.CharField(read_only=True, allow_null=True)
    latest_kind = serializers.CharField(read_only=True, allow_null=True)
    latest_provider = serializers.CharField(read_only=True, allow_null=True)
    latest_model_id = serializers.CharField(read_only=True, allow_null=True)
    version_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = LanguageModel
        fields = [
            "id",
            "name",
            "description",
            "latest_version",
            "latest_kind",
            "latest_provider",
            "latest_model_id",
            "version_count",
            "archived_at",
            "created_at",
        ]
        read_only_fields = fields


@extend_schema_field(entries.WEIGHTS)
class WeightsField(ObjectField):
    """Format, parameters, dtype, shards, licence."""


@extend_schema_field(entries.TRAINING)
class TrainingField(ObjectField):
    """Commit, dataset snapshot digest, build number."""


@extend_schema_field(entries.TOKENIZER)
class TokenizerField(ObjectField):
    """Name and version."""


@extend_schema_field(entries.RUNTIME)
class RuntimeField(ObjectField):
    """Image, CUDA version, quantization, transforms."""


@extend_schema_field(entries.METRICS)
class MetricsField(ObjectField):
    """Evaluation metrics by name."""


@extend_schema_field(entries.SERVICE_LEVEL)
class ServiceLevelField(ObjectField):
    """What the provider promises."""


@extend_schema_field(entries.PRICE)
class PriceField(ObjectField):
    """Nano-dollars per million tokens."""


class ModelVersionWriteSerializer(Input):
    version = serializers.CharField(max_length=80)
    changelog = serializers.CharField(required=False, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=[kind.value for kind in entries.EntryKind])
    provider = serializers.CharField(max_length=60)
    provider_model_id = serializers.CharField(max_length=200)
    endpoint = serializers.CharField(max_length=80, help_text="Name of an endpoint of this project.")
    snapshot_at = serializers.DateTimeField(required=False, allow_null=True)
    checksum = serializers.CharField(required=False, allow_blank=True)
    weights = WeightsField(required=False)
    training = TrainingField(required=False)
    tokenizer = TokenizerField(required=False)
    runtime = RuntimeField(required=False)
    metrics = MetricsField(required=False)
    service_level = ServiceLevelField(required=False)
    params = ObjectField(required=False)
    price = PriceField(required=False, allow_null=True)
    context_tokens = serializers.IntegerField(required=False, allow_null=True)

    def entry(self) -> dict[str, Any]:
        """The members that describe the model itself."""
        return {
            key: value for key, value in self.validated_data.items() if key not in {"version", "changelog"}
        }


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    name = serializers.CharField(source="model.name", read_only=True)
    endpoint = serializers.CharField(source="endpoint.name", read_only=True)
    published_by = PersonField()
    weights = WeightsField()
    training = TrainingField()
    tokenizer = TokenizerField()
    runtime = RuntimeField()
    metrics = MetricsField()
    service_level = ServiceLevelField()
    params = ObjectField()
    price = PriceField(allow_null=True)

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "name",
            "version",
            "digest",
            "changelog",
            "kind",
            "provider",
            "provider_model_id",
            "endpoint",
            "snapshot_at",
            "checksum",
            "weights",
            "training",
            "tokenizer",
            "runtime",
            "metrics",
            "service_level",
            "params",
            "price",
            "context_tokens",
            "published_by",
            "created_at",
        ]
        read_only_fields = fields
