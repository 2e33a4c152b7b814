"""Pages of incidents."""

from __future__ import annotations

from django.urls import URLPattern, path

from incidents import views

app_name = "incidents"

_ONE = "incidents/<uuid:incident_id>"

urlpatterns: list[URLPattern] = [
    path("incidents/", views.incident_list_page, name="incident_list"),
    path(f"{_ONE}/", views.incident_detail_page, name="incident_detail"),
    path(f"{_ONE}/live/", views.incident_live, name="incident_live"),
    path(f"{_ONE}/comment/", views.incident_comment, name="incident_comment"),
    path(f"{_ONE}/<slug:action>/", views.incident_act, name="incident_act"),
]
