"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from telemetry.api import InferencesView, InferenceView

urlpatterns: list[URLPattern] = [
    path("projects/<slug:project>/inferences/", InferencesView.as_view()),
    path("projects/<slug:project>/inferences/<uuid:inference_id>/", InferenceView.as_view()),
]
