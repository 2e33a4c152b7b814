from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promptstore.core.http.fields import ANY_OBJECT, PersonField
from promptstore.core.http.project_views import Input
from registry.models import Prompt, PromptDraft, PromptVersion
from registry.rendering.spec import Role

_SCHEMA = {"type": "object", "additionalProperties": True, "description": "JSON Schema 2020-12"}


@extend_schema_field(
    {
        "type": "object",
        "required": ["messages"],
        "properties": {
            "messages": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"type": "string", "enum": [role.value for role in Role]},
                        "content": {"type": "string", "description": "A Jinja2 template"},
                    },
                },
            },
            "input_schema": _SCHEMA,
            "output_schema": {"oneOf": [_SCHEMA, {"type": "null"}]},
            "tools": {"type": "array", "items": ANY_OBJECT},
            "params": ANY_OBJECT,
        },
    }
)
class BodyField(serializers.JSONField):
    """A prompt document; its shape is checked by the service."""


@extend_schema_field(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["variables"],
            "properties": {"name": {"type": "string"}, "variables": ANY_OBJECT},
        },
    }
)
class ExamplesField(serializers.JSONField):
    """Example inputs; their shape is checked by the service."""


class FindingSerializer(serializers.Serializer[Any]):
    """One statement of the linter. `line` and `column` count from 1."""

    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=["error", "warning", "info"])
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    message_index = serializers.IntegerField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)
    end_column = serializers.IntegerField(allow_null=True)
    field = serializers.CharField(allow_null=True)


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    owner = PersonField()
    latest_version = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null before the first publish."
    )
    latest_at = serializers.DateTimeField(read_only=True, allow_null=True)
    version_count = serializers.IntegerField(read_only=True)
    draft_at = serializers.DateTimeField(read_only=True, allow_null=True)
    draft_has_changes = serializers.BooleanField(read_only=True)

    class Meta:
        model = Prompt
        fields = [
            "id",
            "name",
            "description",
            "owner",
            "latest_version",
            "latest_at",
            "version_count",
            "draft_at",
            "draft_has_changes",
            "archived_at",
            "created_at",
        ]
        read_only_fields = fields


class PromptCreateSerializer(Input):
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    body = BodyField(required=False)
    example_inputs = ExamplesField(required=False)


class DraftSerializer(serializers.ModelSerializer[PromptDraft]):
    body = BodyField()
    example_inputs = ExamplesField()
    updated_by = PersonField()

    class Meta:
        model = PromptDraft
        fields = [
            "id",
            "name",
            "revision",
            "body",
            "example_inputs",
            "base_version",
            "updated_at",
            "updated_by",
        ]
        read_only_fields = fields


class DraftWriteSerializer(Input):
    body = BodyField()
    example_inputs = ExamplesField(required=False)


class LintRequestSerializer(Input):
    """Without `body` the stored draft is looked at."""

    body = BodyField(required=False)
    example_inputs = ExamplesField(required=False)


class LintResultSerializer(serializers.Serializer[Any]):
    findings = FindingSerializer(many=True)
    publishable = serializers.BooleanField()
    template_tokens = serializers.IntegerField()


class PreviewRequestSerializer(Input):
    """Without `body` the stored draft is rendered."""

    variables = serializers.JSONField()
    body = BodyField(required=False)


class RenderedMessageSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.CharField(allow_blank=True)


class PreviewResultSerializer(serializers.Serializer[Any]):
    messages = RenderedMessageSerializer(many=True)
    tokens = serializers.IntegerField(help_text="Of the rendered messages, counted in `encoding`.")
    encoding = serializers.CharField()


class PublishSerializer(Input):
    version = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)
    changelog = serializers.CharField(required=False, allow_blank=True, default="")


class ReopenSerializer(Input):
    version = serializers.CharField(max_length=80)


class ReasonSerializer(Input):
    reason = serializers.CharField(max_length=2000)


class ReasonOfBumpSerializer(serializers.Serializer[Any]):
    bump = serializers.CharField()
    message = serializers.CharField()


class ProposalSerializer(serializers.Serializer[Any]):
    """What publishing the draft now would be called, and why."""

    version = serializers.CharField()
    bump = serializers.CharField(allow_null=True, help_text="Null for the first version.")
    reasons = ReasonOfBumpSerializer(many=True)


class VersionSummarySerializer(serializers.ModelSerializer[PromptVersion]):
    published_by = PersonField()
    is_withdrawn = serializers.BooleanField(read_only=True)

    class Meta:
        model = PromptVersion
        fields = ["id", "version", "digest", "changelog", "published_by", "created_at", "is_withdrawn"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[PromptVersion]):
    name = serializers.CharField(source="prompt.name", read_only=True)
    body = BodyField()
    example_inputs = ExamplesField()
    findings = FindingSerializer(many=True)
    token_counts = serializers.DictField()
    authors = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of the people who wrote it."
    )
    published_by = PersonField()
    withdrawal_reason = serializers.SerializerMethodField()

    class Meta:
        model = PromptVersion
        fields = [
            "id",
            "name",
            "version",
            "digest",
            "changelog",
            "body",
            "example_inputs",
            "findings",
            "token_counts",
            "authors",
            "published_by",
            "created_at",
            "withdrawal_reason",
        ]
        read_only_fields = fields

    def get_withdrawal_reason(self, version: PromptVersion) -> str | None:
        """Null for a version that may be used."""
        return version.withdrawal.reason if hasattr(version, "withdrawal") else None


class SegmentSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["equal", "insert", "delete"])
    text = serializers.CharField()


class MessageDiffSerializer(serializers.Serializer[Any]):
    old_index = serializers.IntegerField(allow_null=True)
    new_index = serializers.IntegerField(allow_null=True)
    old_role = serializers.CharField(allow_null=True)
    new_role = serializers.CharField(allow_null=True)
    segments = SegmentSerializer(many=True)


class DiffSerializer(serializers.Serializer[Any]):
    """From `against` to `version`; the parts beside the messages are compared as canonical JSON."""

    version = serializers.CharField()
    against = serializers.CharField()
    bump = serializers.CharField()
    reasons = ReasonOfBumpSerializer(many=True)
    messages = MessageDiffSerializer(many=True)
    input_schema = SegmentSerializer(many=True)
    output_schema = SegmentSerializer(many=True)
    tools = SegmentSerializer(many=True)
    params = SegmentSerializer(many=True)
