from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promptstore.core.errors import InvalidInput
from promptstore.core.http.fields import ObjectField, PersonField
from promptstore.core.http.project_views import Input
from registry.dataset_files import FileFormat
from registry.datasets import MAX_CASES, SCHEMA, CaseContent, CaseSource, NewCase, SourceKind
from registry.models import Dataset, DatasetCase, DatasetVersion


@extend_schema_field(SCHEMA)
class CaseContentField(ObjectField):
    """What a case asks and what is right."""


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    case_count = serializers.IntegerField(read_only=True, help_text="Cases that the next version would hold.")
    version_count = serializers.IntegerField(read_only=True)
    latest_version = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Dataset
        fields = [
            "id",
            "name",
            "kind",
            "description",
            "case_count",
            "version_count",
            "latest_version",
            "created_at",
        ]
        read_only_fields = fields


class DatasetCreateSerializer(Input):
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(required=False, allow_blank=True, default="")


class CaseSerializer(serializers.ModelSerializer[DatasetCase]):
    feature = serializers.CharField(source="feature.slug", read_only=True, allow_null=True, default=None)
    content = CaseContentField(allow_null=True)
    added_by = PersonField()

    class Meta:
        model = DatasetCase
        fields = [
            "id",
            "key",
            "revision",
            "feature",
            "content",
            "commitment",
            "source_kind",
            "source_ref",
            "added_by",
            "created_at",
            "removed_at",
            "erased_at",
        ]
        read_only_fields = fields


class CaseStateSerializer(serializers.ModelSerializer[DatasetCase]):
    """What a change answers: no content, because answers to `Idempotency-Key` are kept and could not be erased."""

    class Meta:
        model = DatasetCase
        fields = ["id", "key", "revision", "commitment", "removed_at", "erased_at"]
        read_only_fields = fields


class CaseWriteSerializer(Input):
    content = CaseContentField()
    feature = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return {**found, "content": CaseContent.from_dict(found["content"])}


class CaseChangeSerializer(CaseWriteSerializer):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Needed in the danger set."
    )


class NewCaseSerializer(Input):
    key = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=80, help_text="Default: a random one."
    )
    content = CaseContentField()
    feature = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)


def _content(value: Any, index: int) -> CaseContent:
    """The content of one of several cases; a fault names which one's."""
    try:
        return CaseContent.from_dict(value)
    except InvalidInput as error:
        place = f"cases[{index}]."
        raise InvalidInput(
            f"{place}{error.detail}",
            code=error.code,
            field=f"{place}{error.field}",
            errors=[{**fault, "field": f"{place}{fault['field']}"} for fault in error.errors],
        ) from error


class CasesAddSerializer(Input):
    cases = serializers.ListField(child=NewCaseSerializer(), max_length=MAX_CASES)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return {
            "cases": [
                NewCase(
                    _content(case["content"], index),
                    key=case["key"],
                    feature=case["feature"] or None,
                )
                for index, case in enumerate(found["cases"])
            ]
        }


class AddedSerializer(serializers.Serializer[Any]):
    added = serializers.ListField(child=serializers.CharField(), help_text="Keys of the new cases.")
    same = serializers.ListField(
        child=serializers.CharField(), help_text="Keys that were there with the same content."
    )


class DangerCaseSerializer(CaseWriteSerializer):
    source_kind = serializers.ChoiceField(
        choices=[kind.value for kind in SourceKind], required=False, default=SourceKind.MANUAL.value
    )
    source_ref = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="The id of the inference or review; a second call with it adds nothing.",
    )

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        source = CaseSource(SourceKind(found.pop("source_kind")), found.pop("source_ref"))
        return {**found, "source": source}


class EraseSerializer(Input):
    reason = serializers.CharField(help_text="Why; kept in the audit log.")


class ImportSerializer(Input):
    format = serializers.ChoiceField(choices=[kind.value for kind in FileFormat])
    text = serializers.CharField(trim_whitespace=False, help_text="The whole file.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Report and change nothing.")

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return {**found, "format": FileFormat(found["format"])}


class ImportFindingSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    field = serializers.CharField()
    message = serializers.CharField()


class ImportReportSerializer(serializers.Serializer[Any]):
    new = serializers.IntegerField(help_text="Cases that were added, or would be.")
    same = serializers.IntegerField(help_text="Cases that were there already.")
    findings = ImportFindingSerializer(many=True)
    dry_run = serializers.BooleanField()


class ExportSerializer(serializers.Serializer[Any]):
    format = serializers.CharField()
    text = serializers.CharField(help_text="The whole file.")
    erased = serializers.IntegerField(help_text="Cases that are left out because they were erased.")


class FreezeSerializer(Input):
    version = serializers.CharField(required=False, allow_null=True, default=None, max_length=80)
    changelog = serializers.CharField(required=False, allow_blank=True, default="")


class DatasetVersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    name = serializers.CharField(source="dataset.name", read_only=True)
    published_by = PersonField()

    class Meta:
        model = DatasetVersion
        fields = [
            "id",
            "name",
            "version",
            "digest",
            "case_count",
            "changelog",
            "published_by",
            "created_at",
        ]
        read_only_fields = fields


class FrozenCaseSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    key = serializers.CharField()
    commitment = serializers.CharField()
    feature = serializers.CharField(allow_null=True)
    content = serializers.SerializerMethodField()

    @extend_schema_field(CaseContentField(allow_null=True))
    def get_content(self, case: Any) -> Any:
        return case.content.to_dict() if case.content else None


class VerificationSerializer(serializers.Serializer[Any]):
    holds = serializers.BooleanField()
    digest_matches = serializers.BooleanField()
    checked = serializers.IntegerField()
    broken = serializers.ListField(
        child=serializers.CharField(), help_text="Keys whose content is not what was frozen."
    )
    erased = serializers.ListField(child=serializers.CharField(), help_text="Keys that were erased.")


class DatasetVersionDetailSerializer(serializers.Serializer[Any]):
    version = DatasetVersionSerializer()
    cases = FrozenCaseSerializer(many=True)
    verification = VerificationSerializer()
