from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from promptstore.core.digests import digest_json
from promptstore.core.errors import DomainError, NotFound
from registry import documents
from registry.errors import DigestMismatch, NotUsable
from registry.models import Endpoint, Prompt, PromptDraft
from registry.services import configs, models, prompts, publishing
from tests.cast import Cast
from tests.registry.conftest import BODY, CONFIG, HOSTED


@pytest.fixture
def manifest(cast: Cast, draft: PromptDraft, endpoint: Endpoint) -> dict[str, Any]:
    project_id = cast.project.id
    publishing.publish_version(actor=cast.actor("writer"), draft_id=draft.id, revision=1)
    models.register_model_version(
        actor=cast.actor("engineer"), project_id=project_id, name="assistant", version="v1.3.0", entry=HOSTED
    )
    configs.publish_config_version(
        actor=cast.actor("engineer"), project_id=project_id, name="calm", body=CONFIG
    )
    return {
        "format": 1,
        "feature": "config-assistant",
        "version": "1.0.0",
        "primary": "suggest",
        "prompts": [documents.pin(project_id, "prompt", "suggest", "1.0.0")],
        "models": {"primary": documents.pin(project_id, "model", "assistant", "1.3.0")},
        "config": documents.pin(project_id, "config", "calm", "1.0.0"),
    }


def test_a_manifest_resolves_to_the_release_document(
    cast: Cast, manifest: dict[str, Any], endpoint: Endpoint, count_queries: Any
) -> None:
    digest = digest_json(manifest)
    with count_queries() as seen:
        document = documents.resolve(cast.project.id, manifest, digest)

    assert len(seen) == 3
    assert set(document) == {"version", "digest", "primary", "prompts", "models", "config"}
    assert document["digest"] == digest
    prompt = document["prompts"]["suggest"]
    assert set(prompt) == {
        "name",
        "version",
        "digest",
        "messages",
        "input_schema",
        "output_schema",
        "tools",
        "params",
    }
    assert prompt["messages"] == BODY["messages"]
    assert document["models"]["primary"] == {
        "name": "assistant",
        "version": "1.3.0",
        "digest": manifest["models"]["primary"]["digest"],
        "provider": "example",
        "protocol": "openai_http",
        "model_id": "assistant-2026-01-15",
        "params": {},
        "endpoint": str(endpoint.id),
        "context_tokens": 8192,
        "price": HOSTED["price"],
    }
    assert document["config"]["body"] == CONFIG


@pytest.mark.parametrize("kind", ["prompts", "models", "config"])
def test_a_pin_with_another_digest_is_refused(cast: Cast, manifest: dict[str, Any], kind: str) -> None:
    pin = {
        "prompts": manifest["prompts"][0],
        "models": manifest["models"]["primary"],
        "config": manifest["config"],
    }[kind]
    pin["digest"] = "sha256:" + "0" * 64

    with pytest.raises(DigestMismatch):
        documents.resolve(cast.project.id, manifest, digest_json(manifest))


def test_a_manifest_with_another_release_digest_is_refused(cast: Cast, manifest: dict[str, Any]) -> None:
    with pytest.raises(DigestMismatch):
        documents.resolve(cast.project.id, manifest, digest_json({**manifest, "version": "1.0.1"}))


def test_content_altered_in_the_database_no_longer_resolves(cast: Cast, manifest: dict[str, Any]) -> None:
    with (
        connections["default"].cursor() as cursor,
        pytest.raises(Exception, match=r"immutable|permission denied"),
    ):
        cursor.execute("UPDATE registry_promptversion SET body = '{}'")


def test_another_project_cannot_resolve_it(manifest: dict[str, Any], strangers: Cast) -> None:
    with pytest.raises(NotFound):
        documents.resolve(strangers.project.id, manifest, digest_json(manifest))


@pytest.mark.parametrize(
    ("kind", "name", "version"),
    [
        ("prompt", "suggest", "9.0.0"),
        ("prompt", "nobody", "1.0.0"),
        ("model", "suggest", "1.0.0"),
        ("config", "calm", "latest"),
    ],
)
def test_what_is_not_there_cannot_be_pinned(
    cast: Cast, manifest: dict[str, Any], kind: str, name: str, version: str
) -> None:
    with pytest.raises(DomainError) as refused:
        documents.pin(cast.project.id, kind, name, version)
    assert refused.value.code in {"not_found", "invalid_version"}


def test_withdrawn_and_archived_versions_cannot_be_pinned_but_what_is_released_resolves(
    cast: Cast, manifest: dict[str, Any], prompt: Prompt
) -> None:
    version = prompt.versions.get()
    publishing.withdraw_version(actor=cast.actor("engineer"), version_id=version.id, reason="Wrong tone.")
    with pytest.raises(NotUsable, match="Wrong tone"):
        documents.pin(cast.project.id, "prompt", "suggest", "1.0.0")

    prompts.archive_prompt(actor=cast.actor("engineer"), prompt_id=prompt.id, reason="Replaced.")
    with pytest.raises(NotUsable, match="archived"):
        documents.pin(cast.project.id, "prompt", "suggest", "1.0.0")

    assert documents.resolve(cast.project.id, manifest, digest_json(manifest))["version"] == "1.0.0"
