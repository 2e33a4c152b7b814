"""The management API's routes, gathered from the apps."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("registry.api_urls")),
    path("", include("releases.api_urls")),
    path("", include("incidents.api_urls")),
    path("", include("evals.api_urls")),
    path("", include("reviews.api_urls")),
    path("", include("telemetry.api_urls")),
    path("", include("promptstore.console.audit.api_urls")),
    path("", include("promptstore.console.inventory.api_urls")),
]
