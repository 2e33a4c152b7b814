"""Pages of evaluations."""

from __future__ import annotations

from django.urls import URLPattern, path

from evals.views import probes, reports, suites

app_name = "evals"

_ENTRY = "models/<str:name>/versions/<str:version>/drift/"

urlpatterns: list[URLPattern] = [
    path("reports/<str:digest>/", reports.report, name="report"),
    path("suites/", suites.suite_list, name="suite_list"),
    path("suites/new/", suites.suite_publish, name="suite_publish"),
    path("suites/<str:name>/", suites.suite_detail, name="suite_detail"),
    path("suites/<str:name>/versions/<str:version>/", suites.suite_version_page, name="suite_version"),
    path(_ENTRY, probes.drift, name="drift"),
    path(f"{_ENTRY}live/", probes.drift_live, name="drift_live"),
    path(f"{_ENTRY}probe/", probes.probe_now, name="probe_now"),
    path(f"{_ENTRY}<uuid:run_id>/accept/", probes.accept_baseline, name="accept_baseline"),
]
