from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.console.inventory.points import STATES


class ArtifactOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()
    role = serializers.CharField(help_text="A model's role; empty for a prompt.")


class PointOut(serializers.Serializer[Any]):
    feature = serializers.CharField()
    name = serializers.CharField()
    environment = serializers.CharField()
    state = serializers.ChoiceField(choices=list(STATES))
    owner = serializers.CharField(help_text="Empty where nobody is named.")
    risk = serializers.CharField()
    release = serializers.CharField(help_text="The stable release's version, empty where nothing is live.")
    release_id = serializers.UUIDField(allow_null=True)
    deployment_id = serializers.UUIDField(allow_null=True)
    prompts = ArtifactOut(many=True)
    models = ArtifactOut(many=True)
    services = serializers.ListField(
        child=serializers.CharField(), help_text="Keys that may call here. Which of them did is not recorded."
    )
    last_call = serializers.DateTimeField(
        allow_null=True, help_text="The minute of the latest recorded call."
    )
    calls_per_day = serializers.IntegerField(
        help_text="Calls in the last 24 hours, copies in shadow left out."
    )


class InventoryOut(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    next = serializers.CharField(help_text="The next page's `cursor`, empty on the last.")
    results = PointOut(many=True)
