"""A release's audit bundle: made in one snapshot of the database, signed, and recorded as taken."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from evals.versions import versions
from promptstore.core import audit, clock, crypto
from promptstore.core.actors import Actor
from promptstore.core.errors import DomainError
from promptstore.core.permissions import require
from releases.bundle.archive import index_of, pack, signed_message
from releases.bundle.contents import contents_of
from releases.bundle.people import without_addresses
from releases.models import Release
from releases.selectors.places import release_by_id

MAX_BYTES: Final = 64 * 1024 * 1024


class BundleTooLarge(DomainError):
    """A bundle that nobody could handle; nothing was made."""

    code = "bundle_too_large"
    status = 422
    title = "The bundle would be too large"


@dataclass(frozen=True)
class Bundle:
    """The file, the name to save it under, its root digest, and the key that signed it."""

    name: str
    data: bytes
    root: str
    key_id: str


def make_bundle(*, actor: Actor, project_id: UUID, release_id: UUID) -> Bundle:
    """Everything that decided about a release, in one signed file (docs/bundle.md). That it was taken is recorded.

    What happened until now is sealed first, so that the bundle can prove it. Raises `NotAllowed`, `NotFound`, `BundleTooLarge`.
    """
    require(actor, "audit.read", project_id=project_id)
    release_by_id(project_id=project_id, release_id=release_id)
    audit.seal_pending()
    key = crypto.signing_key("bundle")
    with _snapshot():
        release = release_by_id(project_id=project_id, release_id=release_id)
        contents = contents_of(release, actor=actor, key=key)
    index = index_of(
        {
            "product": versions()["promptstore"],
            "project": release.project.slug,
            "feature": release.feature.slug,
            "release": {"id": str(release.pk), "version": release.version, "digest": release.digest},
            "made_at": clock.now().isoformat(),
            "made_by": {"kind": actor.kind.value, "id": actor.id, "name": without_addresses(actor.name)},
            "left_out": contents.left_out,
        },
        contents.members,
    )
    root = index["root"]
    signature = {
        "algorithm": "Ed25519",
        "key_id": key.key_id,
        "root": root,
        "signature": base64.b64encode(crypto.sign(key, signed_message(root))).decode(),
    }
    bundle = Bundle(
        name=f"{release.feature.slug}-{release.version}.bundle",
        data=_bounded(pack(index, signature, contents.members)),
        root=root,
        key_id=key.key_id,
    )
    _record(actor, release, bundle)
    return bundle


@transaction.atomic
def _record(actor: Actor, release: Release, bundle: Bundle) -> None:
    audit.record(
        actor=actor,
        action="release.bundled",
        target=release,
        project_id=release.project_id,
        after={"root": bundle.root, "key": bundle.key_id, "bytes": len(bundle.data)},
    )


@contextmanager
def _snapshot() -> Iterator[None]:
    """One moment of the database for all that is read inside; within somebody's transaction, what that one sees."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise BundleTooLarge(
            f"It would hold {len(data) // 2**20} MB, and at most {MAX_BYTES // 2**20} MB can be checked. Export the audit log "
            "and the reports one by one."
        )
    return data
