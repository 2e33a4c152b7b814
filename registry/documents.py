"""A release as the data plane takes it: every pin of a manifest followed to its content and verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from promptstore.core.digests import digest_json
from promptstore.core.errors import InvalidInput, NotFound
from promptstore.core.models import TenantModel
from registry.content import Kind, artifact_digest
from registry.entries import EntryKind, ModelEntry
from registry.errors import DigestMismatch, NotUsable
from registry.models import ModelVersion, PromptVersion, ServingConfigVersion
from registry.versioning import read_version

Pin = Mapping[str, str]
FORMAT = 1


def pin(project_id: UUID, kind: str, name: str, version: str) -> dict[str, str]:
    """`{"name", "version", "digest"}` of a published version that new releases may use; `kind` is `prompt`, `model` or `config`.

    Raises `NotFound` for an unknown one, `NotUsable` for a withdrawn or archived one.
    """
    sort = Kind(kind)
    number = str(read_version(version))
    row = _rows(project_id, sort, [{"name": name, "version": number}]).first()
    if row is None:
        raise NotFound(f"There is no {kind} {name[:80]}@{number} in this project.", field=kind)
    if _parent(row).archived_at is not None:
        raise NotUsable(f"The {kind} {name} is archived. Restore it, or choose another.", field=kind)
    if isinstance(row, PromptVersion) and hasattr(row, "withdrawal"):
        raise NotUsable(
            f"{name}@{number} was withdrawn: {row.withdrawal.reason}", field=kind, code="withdrawn"
        )
    return {"name": name, "version": number, "digest": row.digest}


def resolve(project_id: UUID, manifest: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """The release document of a manifest whose release digest is `digest`; what is pinned may be withdrawn by now.

    Everything is verified: the manifest against `digest`, each pin against the content it names. Raises `NotFound`,
    `DigestMismatch`, `InvalidInput` for another manifest format.
    """
    if manifest.get("format") != FORMAT:
        raise InvalidInput(
            f"This manifest has the format {manifest.get('format')!r}; known is {FORMAT}.", field="format"
        )
    if digest_json(manifest) != digest:
        raise DigestMismatch(
            f"The manifest of {manifest['feature']} {manifest['version']} does not have this digest.",
            field="digest",
        )
    prompts = _find(project_id, Kind.PROMPT, manifest["prompts"])
    models = _find(project_id, Kind.MODEL, manifest["models"].values())
    config = _find(project_id, Kind.CONFIG, [manifest["config"]])
    return {
        "version": manifest["version"],
        "digest": digest,
        "primary": manifest["primary"],
        "prompts": {item["name"]: _prompt(prompts[_key(item)]) for item in manifest["prompts"]},
        "models": {role: _model(models[_key(item)]) for role, item in manifest["models"].items()},
        "config": _config(config[_key(manifest["config"])]),
    }


def content_of(row: PromptVersion | ModelVersion | ServingConfigVersion) -> dict[str, Any]:
    """What the digest of a stored version covers, rebuilt from its columns."""
    if not isinstance(row, ModelVersion):
        body: dict[str, Any] = row.body
        return body
    return ModelEntry(
        kind=EntryKind(row.kind),
        provider=row.provider,
        provider_model_id=row.provider_model_id,
        endpoint=row.endpoint.name,
        snapshot_at=row.snapshot_at,
        checksum=row.checksum,
        weights=row.weights,
        training=row.training,
        tokenizer=row.tokenizer,
        runtime=row.runtime,
        metrics=row.metrics,
        service_level=row.service_level,
        params=row.params,
        price=row.price,
        context_tokens=row.context_tokens,
    ).body()


_TABLES: dict[Kind, tuple[Any, str, tuple[str, ...]]] = {
    Kind.PROMPT: (PromptVersion, "prompt", ("prompt", "withdrawal")),
    Kind.MODEL: (ModelVersion, "model", ("model", "endpoint")),
    Kind.CONFIG: (ServingConfigVersion, "config", ("config",)),
}


def _rows(project_id: UUID, kind: Kind, pins: Any) -> QuerySet[Any]:
    table, parent, related = _TABLES[kind]
    wanted = Q(pk__in=[])
    for item in pins:
        wanted |= Q(**{f"{parent}__name": item["name"], "version": item["version"]})
    rows: QuerySet[Any] = table.objects.filter(wanted, project_id=project_id).select_related(*related)
    return rows


def _find(project_id: UUID, kind: Kind, pins: Any) -> dict[tuple[str, str], Any]:
    pins = list(pins)
    found = {(_parent(row).name, row.version): row for row in _rows(project_id, kind, pins)}
    for item in pins:
        label = f"{kind.value} {item['name']}@{item['version']}"
        row = found.get(_key(item))
        if row is None:
            raise NotFound(f"There is no {label} in this project.", field=kind.value)
        actual = artifact_digest(kind=kind, name=item["name"], version=row.version, body=content_of(row))
        if not item["digest"] == row.digest == actual:
            raise DigestMismatch(
                f"The content of {label} does not match the digest it is pinned with.",
                field=kind.value,
                extra={"pinned": item["digest"], "recorded": row.digest, "actual": actual},
            )
    return found


def _key(item: Pin) -> tuple[str, str]:
    return item["name"], item["version"]


def _parent(row: TenantModel) -> Any:
    for name in ("prompt", "model", "config"):
        if hasattr(row, name):
            return getattr(row, name)
    raise TypeError(f"{row!r} is no version")


def _prompt(row: PromptVersion) -> dict[str, Any]:
    return {"name": row.prompt.name, "version": row.version, "digest": row.digest, **row.body}


def _model(row: ModelVersion) -> dict[str, Any]:
    return {
        "name": row.model.name,
        "version": row.version,
        "digest": row.digest,
        "provider": row.provider,
        "protocol": row.endpoint.protocol,
        "model_id": row.provider_model_id,
        "params": row.params,
        "endpoint": str(row.endpoint_id),
        "context_tokens": row.context_tokens,
        "price": row.price,
    }


def _config(row: ServingConfigVersion) -> dict[str, Any]:
    return {"name": row.config.name, "version": row.version, "digest": row.digest, "body": row.body}
