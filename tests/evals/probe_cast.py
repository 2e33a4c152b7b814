"""An entry to probe, and one run of its probe."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from evals import services
from evals.models import DriftProbe, ProbeRun
from providers.scripted import ScriptedServer
from registry.models import Endpoint, ModelVersion
from registry.services import endpoints, models
from tests.cast import Cast


def entry_of(
    cast: Cast, provider: ScriptedServer, *, name: str = "small", kind: str = "hosted", **fields: Any
) -> ModelVersion:
    """Version 1.0.0 of a model on the scripted provider."""
    engineer, project = cast.actor("engineer"), cast.project.pk
    if not Endpoint.objects.filter(project_id=project, name="scripted").exists():
        endpoints.create_endpoint(
            actor=engineer, project_id=project, name="scripted", protocol="openai_http", base_url=provider.base_url,
            allow_private=True,
        )  # fmt: skip
    entry: dict[str, Any] = {
        "kind": kind, "provider": "scripted", "provider_model_id": "scripted-2026-01-01", "endpoint": "scripted",
        "snapshot_at": "2026-01-01T00:00:00Z", "context_tokens": 4_096, **fields,
    }  # fmt: skip
    if kind == "self_hosted":
        weights = {"format": "gguf", "parameters": 1_000, "dtype": "q4", "licence": "MIT"}
        entry |= {"snapshot_at": None, "checksum": f"sha256:{'0' * 64}", "weights": weights}
        entry["tokenizer"] = {"name": "bpe", "version": "1"}
    return models.register_model_version(
        actor=engineer, project_id=project, name=name, version="1.0.0", entry=entry
    )


def request(cast: Cast, entry: ModelVersion) -> UUID:
    """What “Probe now” does."""
    return services.request_probe(
        actor=cast.actor("engineer"), project_id=entry.project_id, entry_id=entry.pk
    )


def ask_and_run(cast: Cast, entry: ModelVersion) -> ProbeRun:
    """A run from the wish to its row."""
    ticket = request(cast, entry)
    run = services.run_probe(probe_id=DriftProbe.objects.get(entry=entry).pk, ticket=ticket)
    assert run is not None
    return run
