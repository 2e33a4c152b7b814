"""The demo's endpoint goes where the model of this instance is: the port of a local model may change between starts."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from promptstore.core.actors import system
from promptstore.demo import content
from promptstore.local.home import Home, write_private
from registry.models import Endpoint
from registry.services import endpoints

_SETUP = system("setup")


def follow_model() -> bool:
    """Point the demo's endpoint at `PROMPTSTORE_MODEL_URL` and remember that; returns whether it had to move.

    An endpoint that people pointed elsewhere stays there. Without a model nothing happens.
    """
    url, home = settings.PROMPTSTORE_MODEL_URL, Home(Path(settings.PROMPTSTORE_HOME))
    if not url:
        return False
    endpoint = Endpoint.objects.filter(project__slug="acme", name=content.ENDPOINT).first()
    moved = endpoint is not None and endpoint.base_url != url and _is_ours(endpoint, home.model_address())
    if moved and endpoint is not None:
        endpoints.update_endpoint(
            actor=_SETUP,
            endpoint_id=endpoint.pk,
            revision=endpoint.revision,
            base_url=url,
            force=True,
            reason="The model that this instance runs has another address since it was started again.",
        )
    write_private(home.model_address_file, f"{url}\n")
    return moved


def _is_ours(endpoint: Endpoint, remembered: str) -> bool:
    """Whether setup put it where it is. Homes of earlier versions remember no address: there it is so until the first change."""
    return endpoint.base_url == remembered if remembered else endpoint.revision == 1
