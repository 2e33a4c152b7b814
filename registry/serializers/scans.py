from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.project_views import Input
from registry.models import SourceScan
from registry.scans import MAX_SITES, MAX_UNREAD


class ScanSerializer(serializers.ModelSerializer[SourceScan]):
    class Meta:
        model = SourceScan
        fields = [
            "id",
            "source",
            "revision",
            "scanned_at",
            "created_at",
            "files",
            "governed",
            "ungoverned",
            "ignored",
            "reported_by",
        ]
        read_only_fields = fields


class ScanSiteSerializer(Input):
    fingerprint = serializers.CharField(max_length=64, help_text="Stays while lines move.")
    path = serializers.CharField(max_length=1_000, trim_whitespace=False)
    line = serializers.IntegerField(min_value=1, max_value=10_000_000)
    api = serializers.CharField(max_length=80, help_text="What is called.")
    governed = serializers.BooleanField()
    symbol = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="The function around it."
    )
    snippet = serializers.CharField(max_length=200, allow_blank=True, default="")
    why = serializers.CharField(max_length=300, allow_blank=True, default="")
    ignored = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="The reason in the source."
    )


class ScanDetailSerializer(ScanSerializer):
    sites = serializers.ListField(child=ScanSiteSerializer(), read_only=True)
    unread = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(ScanSerializer.Meta):
        fields = [*ScanSerializer.Meta.fields, "sites", "unread"]
        read_only_fields = fields


class ScanReportSerializer(Input):
    source: Any = serializers.CharField(
        max_length=200, help_text="What was scanned, such as the repository's name."
    )
    revision = serializers.CharField(max_length=80, allow_blank=True, default="")
    scanned_at = serializers.DateTimeField(required=False, help_text="Default: now.")
    files = serializers.IntegerField(min_value=0, max_value=100_000_000)
    sites = serializers.ListField(child=ScanSiteSerializer(), max_length=MAX_SITES)
    unread = serializers.ListField(
        child=serializers.CharField(max_length=1_200), max_length=MAX_UNREAD, default=list
    )
