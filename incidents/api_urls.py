"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from incidents.api import channels, incidents, preferences

_PROJECT = "projects/<slug:project>"
_ONE = f"{_PROJECT}/incidents/<uuid:incident_id>"
_OWN = f"{_PROJECT}/notifications"
_CHANNELS = f"{_PROJECT}/notification-channels"
_CHANNEL = f"{_CHANNELS}/<str:name>"

urlpatterns: list[URLPattern] = [
    path(f"{_PROJECT}/incidents/", incidents.IncidentsView.as_view()),
    path(f"{_ONE}/", incidents.IncidentView.as_view()),
    path(f"{_ONE}/acknowledge/", incidents.AcknowledgeView.as_view()),
    path(f"{_ONE}/mitigate/", incidents.MitigateView.as_view()),
    path(f"{_ONE}/resolve/", incidents.ResolveView.as_view()),
    path(f"{_ONE}/comments/", incidents.CommentsView.as_view()),
    path(f"{_OWN}/preferences/", preferences.PreferencesView.as_view()),
    path(f"{_OWN}/rotate-secret/", preferences.OwnSecretView.as_view()),
    path(f"{_OWN}/test/", preferences.OwnTestView.as_view()),
    path(f"{_OWN}/messages/", preferences.OwnMessagesView.as_view()),
    path(f"{_OWN}/messages/<slug:message_id>/replay/", preferences.OwnReplayView.as_view()),
    path(f"{_CHANNELS}/", channels.ChannelsView.as_view()),
    path(f"{_CHANNEL}/", channels.ChannelView.as_view()),
    path(f"{_CHANNEL}/rotate-secret/", channels.ChannelSecretView.as_view()),
    path(f"{_CHANNEL}/test/", channels.ChannelTestView.as_view()),
    path(f"{_CHANNEL}/deliveries/", channels.DeliveriesView.as_view()),
    path(f"{_CHANNEL}/replay/", channels.ReplayView.as_view()),
]
