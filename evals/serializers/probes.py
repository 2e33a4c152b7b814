"""What the management API gives for drift probes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from evals.models import ProbeRun
from evals.selectors.probes import changed_in, sentence_of
from evals.states import ProbeOutcome
from promptstore.core.http.project_views import Input


class ProbeRunOut(serializers.Serializer[Any]):
    """A run in a list. Shares run from 0 to 1."""

    id = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in ProbeOutcome])
    sentence = serializers.SerializerMethodField()
    difference = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField()
    baseline = serializers.UUIDField(source="baseline_id", allow_null=True)
    probe_set = serializers.JSONField()
    asked_by = serializers.CharField()
    endpoint_revision = serializers.IntegerField()
    provider_models = serializers.ListField(child=serializers.CharField())
    summary = serializers.JSONField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()

    def get_sentence(self, run: ProbeRun) -> str:
        return sentence_of(run)


class ProbeRunDetailOut(ProbeRunOut):
    """One run with every case, and the changed ones beside their baseline."""

    cases = serializers.JSONField()
    changed = serializers.SerializerMethodField()

    def get_changed(self, run: ProbeRun) -> list[dict[str, Any]]:
        return changed_in(run)


class ProbeRequestedOut(serializers.Serializer[Any]):
    """The run that is under way: it can be read under this id once it has ended."""

    run = serializers.UUIDField()


class DriftStateOut(serializers.Serializer[Any]):
    """What is known about an entry; `pending` is the id of the run under way."""

    baseline = ProbeRunOut(allow_null=True)
    latest = ProbeRunOut(allow_null=True)
    pending = serializers.UUIDField(allow_null=True)
    due_at = serializers.DateTimeField(source="probe.due_at", default=None, allow_null=True)
    unreadable_runs = serializers.IntegerField(source="probe.unreadable_runs", default=0)


class AcceptIn(Input):
    reason = serializers.CharField(max_length=2_000)
