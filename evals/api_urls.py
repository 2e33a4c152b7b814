"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from evals.api.probes import DriftDetail, ProbeRunAccept, ProbeRunDetail, ProbeRunList
from evals.api.reports import ReportsView, ReportView
from evals.api.suites import SuiteDetail, SuiteList, SuiteVersionDetail, SuiteVersionList

_entry = [
    path("drift/", DriftDetail.as_view()),
    path("probes/", ProbeRunList.as_view()),
    path("probes/<uuid:run_id>/", ProbeRunDetail.as_view()),
    path("probes/<uuid:run_id>/accept/", ProbeRunAccept.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/<slug:project>/reports/", ReportsView.as_view()),
    path("projects/<slug:project>/reports/<str:digest>/", ReportView.as_view()),
    path("projects/<slug:project>/suites/", SuiteList.as_view()),
    path("projects/<slug:project>/suites/<str:name>/", SuiteDetail.as_view()),
    path("projects/<slug:project>/suites/<str:name>/versions/", SuiteVersionList.as_view()),
    path("projects/<slug:project>/suites/<str:name>/versions/<str:version>/", SuiteVersionDetail.as_view()),
    path("projects/<str:project>/models/<str:name>/versions/<str:version>/", include(_entry)),
]
