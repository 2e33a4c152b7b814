"""Pages of incidents."""

from __future__ import annotations

from django.urls import URLPattern, path

from incidents.views import channels, incidents

app_name = "incidents"

_ONE = "incidents/<uuid:incident_id>"
_CHANNEL = "incidents/channels/<str:name>"

urlpatterns: list[URLPattern] = [
    path("incidents/", incidents.incident_list_page, name="incident_list"),
    path("incidents/channels/", channels.channel_list, name="channel_list"),
    path("incidents/channels/new/", channels.channel_create, name="channel_create"),
    path(f"{_CHANNEL}/", channels.channel_detail_page, name="channel_detail"),
    path(f"{_CHANNEL}/test/", channels.channel_test, name="channel_test"),
    path(f"{_CHANNEL}/switch/", channels.channel_switch, name="channel_switch"),
    path(f"{_CHANNEL}/rotate/", channels.channel_rotate, name="channel_rotate"),
    path(f"{_CHANNEL}/replay/<slug:message_id>/", channels.channel_replay, name="channel_replay"),
    path(f"{_ONE}/", incidents.incident_detail_page, name="incident_detail"),
    path(f"{_ONE}/live/", incidents.incident_live, name="incident_live"),
    path(f"{_ONE}/comment/", incidents.incident_comment, name="incident_comment"),
    path(f"{_ONE}/<slug:action>/", incidents.incident_act, name="incident_act"),
]
