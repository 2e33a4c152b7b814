"""A database beside the real one: filled and made ready there, then swapped in — or, in a drill, dropped."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from promptstore.cli.backup.archive import DUMP, content
from promptstore.cli.backup.heads import read_heads
from promptstore.cli.backup.instance import Instance
from promptstore.cli.backup.manifest import Heads, Manifest
from promptstore.cli.backup.programs import Programs, run
from promptstore.cli.backup.refusals import refused
from promptstore.cli.database import ROOT
from promptstore.local.commands import PYTHON
from promptstore.local.roles import grant_application

# Where the owner connects to make, drop and rename databases.
MAINTENANCE = "postgres"
_FINISH = (PYTHON, "manage.py", "finish_restore")


@dataclass(frozen=True)
class Scratch:
    """An empty database of the owner's, made for one restore."""

    instance: Instance
    name: str

    @property
    def owner_url(self) -> str:
        return self.instance.owner_url_of(self.name)

    def fill(self, archive: Path, manifest: Manifest) -> None:
        """Load the dump in one transaction and prove that it is what the manifest says. Raises `CommandError`."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            major = connection.info.server_version // 10_000
            names = {
                "database": sql.Identifier(self.name),
                "application": sql.Identifier(self.instance.application_role),
            }
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {database} TO {application}").format(**names)
            )
            grant_application(
                connection, owner=self.instance.owner_role, application=self.instance.application_role
            )
        run(
            [
                Programs.of_major(major).restore, "--exit-on-error", "--single-transaction", "--no-owner",
                "--no-privileges", "--no-comments", f"--dbname={self.name}",
            ],
            url=self.owner_url,
            source=content(archive, DUMP),
        )  # fmt: skip
        if self.heads() != manifest.heads:
            raise refused("backup_damaged", "What was restored is not what the backup's manifest says.")

    def finish(self, manifest: Manifest, former: Heads | None) -> dict[str, Any]:
        """Migrate it and start over in it: see `serving.restoring.resume_after_restore`, whose answer this returns.

        In a process of its own, since this one's settings lead to the real database. Raises `CommandError`.
        """
        self._leave_behind_used_numbers()
        given = {
            "origin": {
                "backup_id": manifest.id,
                "made_at": manifest.made_at,
                "product": manifest.product,
                "sequence": manifest.heads.audit_sequence,
                "head": manifest.heads.audit_head,
            },
            "former": former
            and {
                "sequence": former.audit_sequence,
                "head": former.audit_head,
                "revoked_keys": list(former.revoked_keys),
            },
        }
        done = subprocess.run(
            _FINISH,
            cwd=ROOT,
            env=self._environment(),
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise refused(
                "restore_failed", f"The restored database could not be made ready: {' '.join(said[-2:])}"
            )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def heads(self) -> Heads:
        with psycopg.connect(self.owner_url) as connection:
            return read_heads(connection)

    def _leave_behind_used_numbers(self) -> None:
        """Rows that were lost had numbers which others still remember: nodes those of roots, the broker those of messages.

        A node that meets a number it has loaded before would take the new root for the old one.
        """
        with psycopg.connect(self.owner_url) as connection:
            for table in ("serving_root", "core_outboxmessage"):
                connection.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), "
                    "greatest(nextval(pg_get_serial_sequence(%s, 'id')), %s))",
                    [table, table, int(time.time())],
                )

    def _environment(self) -> dict[str, str]:
        own = {
            "DATABASE_URL": self.instance.application_url_of(self.name),
            "DATABASE_OWNER_URL": self.owner_url,
            "PROMPTSTORE_MASTER_KEY": self.instance.master_key,
            # Nobody works on this database yet, and a drill's never leaves the machine.
            "BROKER_URL": "memory://",
            "PROMPTSTORE_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "promptstore.settings",
        }
        kept = {name: text for name, text in os.environ.items() if name.removesuffix("_FILE") not in own}
        return kept | own


@contextmanager
def scratch_database(instance: Instance) -> Iterator[Scratch]:
    """An empty database, dropped at the end unless it has been swapped in (then it has another name)."""
    name = f"{instance.database[:40]}_restore_{secrets.token_hex(4)}"
    url = instance.owner_url_of(MAINTENANCE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
        )
    try:
        yield Scratch(instance, name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
