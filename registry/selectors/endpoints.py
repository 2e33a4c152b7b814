from __future__ import annotations

from uuid import UUID

from django.db.models import Count, QuerySet

from promptstore.core import crypto
from promptstore.core.errors import NotFound
from registry.models import Endpoint
from registry.probes import ClientSettings


def endpoints(*, project_id: UUID) -> QuerySet[Endpoint]:
    """A project's endpoints, newest first, with `entries`: how many model entries run on each."""
    return (
        Endpoint.objects.filter(project_id=project_id)
        .select_related("credential")
        .annotate(entries=Count("model_versions"))
        .order_by("-id")
    )


def endpoint_by_name(*, project_id: UUID, name: str) -> Endpoint:
    """Raises `NotFound`."""
    endpoint = Endpoint.objects.filter(project_id=project_id, name=name).select_related("credential").first()
    if endpoint is None:
        raise NotFound(f"This project has no endpoint “{name[:80]}”.", field="endpoint")
    return endpoint


def client_settings(endpoint_id: UUID) -> ClientSettings:
    """What a gate or a probe needs to call the endpoint, the secret unsealed.

    For the product itself: no permission is asked. Raises `NotFound`, `CryptoUnavailable`.
    """
    endpoint = Endpoint.objects.filter(pk=endpoint_id).select_related("credential").first()
    if endpoint is None:
        raise NotFound("There is no such endpoint.", field="endpoint")
    return settings_of(endpoint)


def settings_of(endpoint: Endpoint) -> ClientSettings:
    """As `client_settings`, for a row at hand."""
    return ClientSettings(
        protocol=endpoint.protocol,
        base_url=endpoint.base_url,
        api_key=crypto.unseal(bytes(endpoint.credential.sealed)) if endpoint.credential else None,
        allow_private=endpoint.allow_private,
        revision=endpoint.revision,
    )
