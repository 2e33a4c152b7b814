"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from evals.api import ReportsView, ReportView

urlpatterns: list[URLPattern] = [
    path("projects/<slug:project>/reports/", ReportsView.as_view()),
    path("projects/<slug:project>/reports/<str:digest>/", ReportView.as_view()),
]
