"""Restore a backup into the instance's database, and rehearse it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from promptstore.cli.backup.archive import DamagedError, NewerFormatError, read_manifest
from promptstore.cli.backup.heads import count_events, read_heads, server_version
from promptstore.cli.backup.instance import Instance
from promptstore.cli.backup.making import make_backup
from promptstore.cli.backup.manifest import Heads, Manifest
from promptstore.cli.backup.refusals import refused
from promptstore.cli.backup.scratch import scratch_database
from promptstore.cli.backup.swapping import others, swap
from promptstore.cli.version import version
from promptstore.local.progress import Progress


@dataclass(frozen=True)
class Restored:
    """What a restore did. `former` is the name of the database that was replaced, if it held anything."""

    manifest: Manifest
    lost: Heads | None
    former: str | None
    resumed: Mapping[str, Any]


def checked(archive: Path, *, mac_key: bytes | None = None) -> Manifest:
    """The manifest of a whole backup; raises `CommandError` for a damaged one, or one made by a newer version."""
    try:
        manifest = read_manifest(archive, mac_key=mac_key)
    except DamagedError as error:
        raise refused("backup_damaged", f"{error}.") from error
    except NewerFormatError as error:
        raise refused(
            "backup_newer", f"{archive} has a newer format than version {version()} reads."
        ) from error
    except OSError as error:
        raise refused("backup_damaged", f"{archive} cannot be read: {error.strerror}.") from error
    if _numbers(manifest.product) > _numbers(version()):
        raise refused(
            "backup_newer",
            f"{archive} was made by version {manifest.product}, and this is {version()}. Restore it with that version.",
        )
    return manifest


def restore(
    instance: Instance,
    archive: Path,
    *,
    replace: bool,
    force: bool,
    confirm: Callable[[str], None],
    progress: Progress,
) -> Restored:
    """Put the instance's database back to what a backup holds, migrated to this version and ready for use.

    Everything is prepared in a database beside the real one, which is replaced in the last step: a failure before that changes
    nothing. Refuses a database that holds something unless `replace`, and one in use unless `force`; `confirm` is called with the
    database's name before anything is replaced, and raises to stop. Raises `CommandError` and `psycopg.Error`.
    """
    with progress.step("Check of the backup"):
        manifest = _fitting(instance, archive)
    with psycopg.connect(instance.owner_url) as connection:
        heads, seen = read_heads(connection), count_events(connection)
        _require_server(connection, manifest)
        _require_nobody(connection, instance, force=force)
    former = None if heads.empty else heads
    if former and not replace:
        raise refused(
            "database_not_empty",
            f"{instance.database} holds {len(heads.projects)} projects and {heads.audit_sequence} sealed events. "
            "Say --replace to restore over it; it is kept under another name.",
            field="--replace",
        )
    if former:
        confirm(instance.database)
    with scratch_database(instance) as scratch:
        with progress.step("Restore beside the database"):
            scratch.fill(archive, manifest)
        with progress.step("Schema, epoch, chain, holds"):
            resumed = scratch.finish(manifest, former)
        with progress.step("Swap"):
            kept = swap(instance, scratch, seen=seen, keep=former is not None)
    return Restored(manifest=manifest, lost=former, former=kept, resumed=resumed)


def rehearse(instance: Instance, *, directory: Path, progress: Progress) -> Restored:
    """Back up, check, restore into a scratch database, migrate, start over in it, verify its log, and drop it all again.

    The real database is only read. Raises as `make_backup` and `restore` do.
    """
    with tempfile.TemporaryDirectory(prefix="drill-", dir=directory) as place:
        archive = Path(place) / "drill.backup"
        make_backup(instance, archive, with_keys=False, progress=progress)
        with progress.step("Check of the backup"):
            manifest = _fitting(instance, archive)
        with scratch_database(instance) as scratch:
            with progress.step("Restore into a scratch copy"):
                scratch.fill(archive, manifest)
            with progress.step("Schema, epoch, chain, holds"):
                resumed = scratch.finish(manifest, None)
    return Restored(manifest=manifest, lost=None, former=None, resumed=resumed)


def _fitting(instance: Instance, archive: Path) -> Manifest:
    """A whole backup that this version can read and these keys can open."""
    manifest = checked(archive)
    if manifest.master_key != instance.fingerprint:
        raise refused(
            "master_key",
            "This backup was made under another master key: with this one, credentials and signing keys in it stay closed. "
            "Set PROMPTSTORE_MASTER_KEY_FILE to the key of that time.",
            field="PROMPTSTORE_MASTER_KEY",
        )
    manifest = checked(archive, mac_key=instance.mac_key)
    from promptstore.core.schema import known_migrations

    unknown = sorted(set(manifest.heads.migrations) - known_migrations())
    if unknown:
        raise refused(
            "backup_newer",
            f"{archive} has {len(unknown)} migrations that this version does not know, first {unknown[0]}. Restore it with the "
            "version that made it, or a newer one.",
        )
    return manifest


def _require_server(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    here, major = server_version(connection)
    if manifest.postgres_major > major:
        raise refused(
            "backup_newer",
            f"The backup comes from PostgreSQL {manifest.postgres_version}; this server is {here}, which is older.",
        )


def _require_nobody(connection: psycopg.Connection[Any], instance: Instance, *, force: bool) -> None:
    found = others(connection, instance.database)
    if found and not force:
        who = ", ".join(f"{count} of {role}" for role, count in found.most_common(5))
        raise refused(
            "database_in_use",
            f"{instance.database} has {found.total()} sessions: {who}. Stop console, workers and scheduler first (Ctrl-C under "
            "`make run`); serving nodes may stay. --force ends the sessions instead.",
            field="--force",
        )


def _numbers(text: str) -> tuple[int, ...]:
    """`1.2.0` as numbers that compare."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())
