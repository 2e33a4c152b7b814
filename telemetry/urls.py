"""Pages of inferences."""

from __future__ import annotations

from django.urls import URLPattern, path

from telemetry import views

app_name = "telemetry"

urlpatterns: list[URLPattern] = [
    path("inferences/", views.inference_list_page, name="inference_list"),
    path("inferences/<uuid:inference_id>/", views.inference_detail, name="inference_detail"),
    path("inferences/<uuid:inference_id>/danger/", views.inference_danger, name="inference_danger"),
]
