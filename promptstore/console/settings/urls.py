"""Settings: a person's own tokens and notifications, and the service keys of the project."""

from __future__ import annotations

from django.urls import URLPattern, path

from promptstore.console.settings import notifications, revoking, service_keys, tokens

urlpatterns: list[URLPattern] = [
    path("settings/", tokens.token_list, name="settings"),
    path("settings/tokens/new/", tokens.token_create, name="token_create"),
    path("settings/notifications/", notifications.notification_settings, name="notification_settings"),
    path("settings/notifications/webhook/", notifications.notification_webhook, name="notification_webhook"),
    path("settings/notifications/rotate/", notifications.notification_rotate, name="notification_rotate"),
    path("settings/notifications/test/", notifications.notification_test, name="notification_test"),
    path(
        "settings/notifications/messages/<slug:message_id>/replay/",
        notifications.notification_replay,
        name="notification_replay",
    ),
    path("settings/keys/", service_keys.service_key_list, name="service_key_list"),
    path("settings/keys/new/", service_keys.service_key_create, name="service_key_create"),
    path("settings/keys/<uuid:key_id>/revoke/", revoking.key_revoke, name="key_revoke"),
]
