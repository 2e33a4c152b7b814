"""What the management API gives for reports."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class GateReportOut(serializers.Serializer[Any]):
    """A report in a list; the document itself is under its digest."""

    gate = serializers.CharField()
    verdict = serializers.CharField()
    digest = serializers.CharField()
    release_digest = serializers.CharField()
    summary = serializers.DictField(child=serializers.IntegerField(), source="body.summary")
    created_at = serializers.DateTimeField()
