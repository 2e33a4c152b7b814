"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from incidents import api

_PROJECT = "projects/<slug:project>"
_ONE = f"{_PROJECT}/incidents/<uuid:incident_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_PROJECT}/incidents/", api.IncidentsView.as_view()),
    path(f"{_ONE}/", api.IncidentView.as_view()),
    path(f"{_ONE}/acknowledge/", api.AcknowledgeView.as_view()),
    path(f"{_ONE}/mitigate/", api.MitigateView.as_view()),
    path(f"{_ONE}/resolve/", api.ResolveView.as_view()),
    path(f"{_ONE}/comments/", api.CommentsView.as_view()),
]
