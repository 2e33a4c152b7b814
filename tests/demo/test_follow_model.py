from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptstore.core.models import AuditEvent
from promptstore.demo import content
from promptstore.demo.local_model import follow_model
from providers.scripted import ScriptedServer
from registry.models import Endpoint
from registry.services import endpoints
from tests.cast import Cast

BEFORE = "http://127.0.0.1:9/v1"


@pytest.fixture
def endpoint(cast: Cast, settings: Any, tmp_path: Path, provider: ScriptedServer) -> Endpoint:
    """The demo's endpoint where an earlier start left it, and a model somewhere else now."""
    settings.PROMPTSTORE_HOME = str(tmp_path)
    settings.PROMPTSTORE_MODEL_URL = provider.base_url
    return endpoints.create_endpoint(
        actor=cast.actor("engineer"),
        project_id=cast.project.pk,
        name=content.ENDPOINT,
        protocol="openai_http",
        base_url=BEFORE,
        allow_private=True,
        force=True,
        reason="Demo.",
    )


def test_the_endpoint_moves_with_the_model_and_stays_when_it_stays(
    endpoint: Endpoint, provider: ScriptedServer, tmp_path: Path
) -> None:
    assert follow_model()
    endpoint.refresh_from_db()
    assert endpoint.base_url == provider.base_url
    assert (tmp_path / "model_address").read_text().strip() == provider.base_url
    assert AuditEvent.objects.filter(action="endpoint.changed", actor_kind="system").count() == 1
    assert not follow_model()


def test_an_endpoint_that_people_pointed_elsewhere_stays_there(endpoint: Endpoint, cast: Cast) -> None:
    elsewhere = "http://127.0.0.1:10/v1"
    endpoints.update_endpoint(
        actor=cast.actor("engineer"), endpoint_id=endpoint.pk, revision=1, base_url=elsewhere, force=True, reason="Ours.",
    )  # fmt: skip
    assert not follow_model()
    endpoint.refresh_from_db()
    assert endpoint.base_url == elsewhere


def test_without_a_model_nothing_is_remembered(endpoint: Endpoint, settings: Any, tmp_path: Path) -> None:
    settings.PROMPTSTORE_MODEL_URL = ""
    assert not follow_model()
    assert not (tmp_path / "model_address").exists()
