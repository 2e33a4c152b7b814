"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from promptstore.console.audit.api import AuditView

urlpatterns: list[URLPattern] = [path("projects/<slug:project>/audit/", AuditView.as_view())]
