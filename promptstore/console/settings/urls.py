"""Settings: a person's own tokens, and the service keys of the project."""

from __future__ import annotations

from django.urls import URLPattern, path

from promptstore.console.settings import revoking, service_keys, tokens

urlpatterns: list[URLPattern] = [
    path("settings/", tokens.token_list, name="settings"),
    path("settings/tokens/new/", tokens.token_create, name="token_create"),
    path("settings/keys/", service_keys.service_key_list, name="service_key_list"),
    path("settings/keys/new/", service_keys.service_key_create, name="service_key_create"),
    path("settings/keys/<uuid:key_id>/revoke/", revoking.key_revoke, name="key_revoke"),
]
