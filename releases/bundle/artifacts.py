"""What a release pins, as the documents that its digests stand for, each with the versions that came before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from promptstore.core.digests import canonical_json
from registry.content import Kind
from registry.documents import content_of
from registry.models import ModelVersion, PromptVersion, ServingConfigVersion
from releases.bundle.people import people, person, without_addresses
from releases.models import Release

MAX_VERSIONS: Final = 200
_FOLDERS: Final = {Kind.PROMPT: "prompts", Kind.MODEL: "models", Kind.CONFIG: "config"}
_TABLES: Final[Mapping[Kind, tuple[Any, str]]] = {
    Kind.PROMPT: (PromptVersion, "prompt"),
    Kind.MODEL: (ModelVersion, "model"),
    Kind.CONFIG: (ServingConfigVersion, "config"),
}
Version = PromptVersion | ModelVersion | ServingConfigVersion


def pinned(release: Release) -> list[tuple[Kind, Version]]:
    """The stored versions that the manifest pins, found by their digests; one pinned in two roles comes once."""
    found: list[tuple[Kind, Version]] = []
    for kind, digests in _digests(release.manifest).items():
        table, parent = _TABLES[kind]
        related = [parent, "published_by", *(["endpoint"] if kind is Kind.MODEL else [])]
        rows = table.objects.filter(project_id=release.project_id, digest__in=digests)
        found += [(kind, row) for row in rows.select_related(*related).order_by("digest")]
    return found


def artifact_members(versions: list[tuple[Kind, Version]]) -> Iterator[tuple[str, bytes]]:
    """`artifacts/…` by name. `document` is exactly what `digest` covers; `history` is oldest first and ends with this version."""
    for kind, row in versions:
        name = getattr(row, _TABLES[kind][1]).name
        body = {
            "document": {
                "kind": kind.value,
                "name": name,
                "version": row.version,
                "body": content_of(row),
            },
            "digest": row.digest,
            "history": _history(kind, row),
        }
        yield f"artifacts/{_FOLDERS[kind]}/{name}-{row.digest[7:19]}.json", canonical_json(body)


def _digests(manifest: Mapping[str, Any]) -> dict[Kind, set[str]]:
    return {
        Kind.PROMPT: {pin["digest"] for pin in manifest["prompts"]},
        Kind.MODEL: {pin["digest"] for pin in manifest["models"].values()},
        Kind.CONFIG: {manifest["config"]["digest"]},
    }


def _history(kind: Kind, row: Version) -> list[dict[str, Any]]:
    table, parent = _TABLES[kind]
    parent_id: UUID = getattr(row, f"{parent}_id")
    earlier = table.objects.select_related("published_by").filter(
        **{f"{parent}_id": parent_id}, pk__lte=row.pk
    )
    rows = list(earlier.order_by("-pk")[:MAX_VERSIONS])
    return [_entry(one) for one in reversed(rows)]


def _entry(row: Version) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "version": row.version,
        "digest": row.digest,
        "published_at": row.created_at.isoformat(),
        "published_by": person(row.published_by),
        "changelog": without_addresses(row.changelog),
    }
    if isinstance(row, PromptVersion):
        entry["authors"] = people(row.authors)
    return entry
