"""Pages of evaluations."""

from __future__ import annotations

from django.urls import URLPattern, path

from evals import views

app_name = "evals"

urlpatterns: list[URLPattern] = [path("reports/<str:digest>/", views.report, name="report")]
