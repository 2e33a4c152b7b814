"""Deployments, and what is active in them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import Text
from promptstore.core.http.project_views import Input
from releases.serializers.base import MAX_TEXT, ReleaseRef


class ReturnIn(Input):
    """A release that was live in this deployment before, by digest or version."""

    release = Text(max_length=80)
    reason = Text(max_length=MAX_TEXT)


class DeploymentOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    feature = serializers.CharField(source="feature.slug")
    environment = serializers.CharField(source="environment.slug")
    stable_release = ReleaseRef(allow_null=True)
    generation = serializers.IntegerField()


class ReleaseNameOut(serializers.Serializer[Any]):
    version = serializers.CharField()
    digest = serializers.CharField()


class ActiveCandidateOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    weight_bp = serializers.IntegerField()
    candidate = ReleaseNameOut()


class ActiveOut(serializers.Serializer[Any]):
    """What is stable now, with content; the shape of the serving API's `resolve` without a unit."""

    feature = serializers.CharField()
    environment = serializers.CharField()
    generation = serializers.IntegerField()
    arm = serializers.CharField()
    release = ReleaseNameOut()
    prompt = serializers.JSONField()
    prompts = serializers.DictField(child=serializers.JSONField())
    model = serializers.JSONField()
    models = serializers.DictField(child=serializers.JSONField())
    config = serializers.JSONField()
    rollout = ActiveCandidateOut(allow_null=True)
