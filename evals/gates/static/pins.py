"""Whether what the release holds is what its digests say, and what the registry has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject
from evals.prompts import label, prompt_body
from evals.states import Verdict
from registry.content import Kind, artifact_digest
from registry.documents import content_of
from registry.models import ModelVersion


def checks(subject: GateSubject) -> Iterator[Check]:
    """One row: every pin of the release, followed and recomputed."""
    yield perform("pins", "Every pinned version is what its digest says", lambda: _pins(subject))


def _pins(subject: GateSubject) -> Outcome:
    release = subject.release
    faults = [] if release["digest"] == subject.release_digest else ["The document is of another release."]
    pinned = {"release": release["digest"]}
    for prompt in release["prompts"].values():
        pinned[f"prompt {label(prompt)}"] = prompt["digest"]
        faults += _recomputed(Kind.PROMPT, prompt, prompt_body(prompt))
    config = release["config"]
    pinned[f"config {label(config)}"] = config["digest"]
    faults += _recomputed(Kind.CONFIG, config, config["body"])
    for role, model in release["models"].items():
        pinned[f"model {label(model)} ({role})"] = model["digest"]
        faults += _registered(subject.project_id, model)
    if faults:
        return Outcome(Verdict.FAIL, faults[0], {"pinned": pinned, "faults": faults})
    return Outcome(Verdict.PASS, f"{len(pinned)} digests recomputed, all as pinned.", {"pinned": pinned})


def _recomputed(kind: Kind, document: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    actual = artifact_digest(kind=kind, name=document["name"], version=document["version"], body=body)
    if actual == document["digest"]:
        return []
    return [f"The content of {kind} {label(document)} has another digest than the one it is pinned with."]


def _registered(project_id: UUID, model: Mapping[str, Any]) -> list[str]:
    """A model's digest covers more than a release carries, so its registry entry is recomputed."""
    row = (
        ModelVersion.objects.select_related("model", "endpoint")
        .filter(project_id=project_id, model__name=model["name"], version=model["version"])
        .first()
    )
    if row is None:
        return [f"The registry has no model {label(model)}."]
    actual = artifact_digest(kind=Kind.MODEL, name=row.model.name, version=row.version, body=content_of(row))
    if not actual == row.digest == model["digest"]:
        return [f"The registry's entry of {label(model)} has another digest than the one it is pinned with."]
    if (row.provider_model_id, str(row.endpoint_id)) != (model["model_id"], model["endpoint"]):
        return [f"The release calls {label(model)} by another id or endpoint than its registry entry."]
    return []
