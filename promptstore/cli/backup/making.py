"""Make a backup: one snapshot of the database, what it says about itself, and on request the keys."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg

from promptstore.cli.backup.archive import DUMP, KEYS, describe, write_archive
from promptstore.cli.backup.heads import read_heads, server_version
from promptstore.cli.backup.instance import Instance
from promptstore.cli.backup.manifest import Manifest
from promptstore.cli.backup.programs import Programs, run
from promptstore.cli.backup.refusals import refused
from promptstore.cli.exits import usage
from promptstore.cli.version import version
from promptstore.core import clock
from promptstore.local.home import write_private
from promptstore.local.progress import Progress


def make_backup(instance: Instance, target: Path, *, with_keys: bool, progress: Progress) -> Manifest:
    """Write a backup of the running database to `target`; people and services go on meanwhile.

    The dump and the heads in the manifest come from one exported snapshot. An existing file is never replaced.
    Raises `CommandError` and `psycopg.Error`.
    """
    if target.exists():
        raise refused("backup_exists", f"{target} exists; choose another name.", field="--backup")
    if not target.parent.is_dir():
        raise usage(f"There is no directory {target.parent}.", field="--backup")
    with (
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as parts,
        psycopg.connect(instance.owner_url) as connection,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        heads = read_heads(connection)
        if not heads.migrations:
            raise refused(
                "not_migrated", f"There is nothing to back up: {instance.database} was never migrated."
            )
        postgres, major = server_version(connection)
        programs = Programs.of_major(major)
        members = {DUMP: Path(parts) / "dump"}
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        with progress.step("Dump of the database"):
            # The transaction stays open: the snapshot lives as long as it does.
            run(
                [
                    programs.dump, "--format=custom", "--no-owner", "--no-privileges",
                    f"--snapshot={row[0]}", f"--file={members[DUMP]}", f"--dbname={instance.database}",
                ],
                url=instance.owner_url,
            )  # fmt: skip
        connection.rollback()
        if with_keys:
            for name, key in zip(KEYS, (instance.master_key, instance.secret_key), strict=True):
                if not key:
                    continue  # the console's own key may live on another machine
                members[name] = Path(parts) / Path(name).name
                write_private(members[name], key)
        with progress.step("Digests and seal"):
            manifest = Manifest(
                id=uuid4().hex,
                made_at=clock.now().isoformat(timespec="seconds"),
                product=version(),
                postgres_version=postgres,
                postgres_major=major,
                master_key=instance.fingerprint,
                with_keys=with_keys,
                heads=heads,
                members=tuple(describe(name, path) for name, path in members.items()),
            )
            try:
                write_archive(target, members=members, manifest=manifest, mac_key=instance.mac_key)
            except FileExistsError as error:
                raise refused(
                    "backup_exists", f"{target} exists; choose another name.", field="--backup"
                ) from error
    return manifest
