from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import psycopg
from cyclopts import Parameter

from promptstore.cli.database import adopt_running_instance, home, start_django
from promptstore.cli.doctor import backups
from promptstore.cli.doctor.findings import Finding, Verdict
from promptstore.cli.exits import CommandError, Exit, unreachable, usage
from promptstore.cli.options import Json
from promptstore.cli.output import show


def doctor(
    *,
    init_db: Annotated[
        bool,
        Parameter(
            name="--init-db",
            help="Make the roles and the database that DATABASE_OWNER_URL and DATABASE_URL name, then stop.",
        ),
    ] = False,
    superuser_url: Annotated[
        str | None,
        Parameter(
            name="--superuser-url",
            env_var="DATABASE_SUPERUSER_URL",
            help="Whoever may create roles and databases. With a password in it, prefer the variable: other users see "
            "the command line.",
        ),
    ] = None,
    backup: Annotated[
        Path | None,
        Parameter(help="Back the database up into this new file; people and services go on meanwhile."),
    ] = None,
    with_keys: Annotated[
        bool,
        Parameter(
            name="--with-keys", help="Put the master key into the backup. The file is then a secret itself."
        ),
    ] = False,
    verify_backup: Annotated[
        Path | None,
        Parameter(name="--verify-backup", help="Check every byte of a backup, without a database."),
    ] = None,
    restore: Annotated[
        Path | None,
        Parameter(
            help="Put the database back to what this backup holds: new snapshot epoch, chain re-sealed and recorded."
        ),
    ] = None,
    replace: Annotated[
        bool,
        Parameter(help="Restore over a database that holds something. It is kept under another name."),
    ] = False,
    force: Annotated[
        bool, Parameter(help="Restore although console or workers are connected: their sessions are ended.")
    ] = False,
    yes: Annotated[bool, Parameter(help="Replace without asking for the database's name.")] = False,
    drill: Annotated[
        bool,
        Parameter(
            help="Back up, restore into a scratch database, verify, drop it: proves that restoring works."
        ),
    ] = False,
    as_json: Json = False,
) -> Exit:
    """Check this instance: database, roles, migrations, broker, keys, serving node, disk.

    Each line says ok, warn or fail and, where it is not ok, how to mend it. Nothing is changed, except with `--init-db`, which may
    run again at any time, and with `--restore`. docs/backup.md tells what a backup holds and what a restore does.

    Examples: `promptctl doctor` · `DATABASE_SUPERUSER_URL=postgresql://postgres:…@db/postgres promptctl doctor --init-db` ·
    `promptctl doctor --backup monday.backup` · `promptctl doctor --drill` · `promptctl doctor --restore monday.backup --replace`

    Exit codes: 0 all well, or warnings only · 1 something fails, or was refused · 2 usage · 4 something cannot be reached
    """
    _one_of(init_db=init_db, backup=backup, verify_backup=verify_backup, restore=restore, drill=drill)
    _belongs(with_keys, "--with-keys", to=backup, named="--backup")
    for given, option in ((replace, "--replace"), (force, "--force"), (yes, "--yes")):
        _belongs(given, option, to=restore, named="--restore")
    if backup:
        return backups.back_up(backup, with_keys=with_keys, as_json=as_json)
    if verify_backup:
        return backups.verify_backup(verify_backup, as_json=as_json)
    if restore:
        return backups.restore_backup(restore, replace=replace, force=force, yes=yes, as_json=as_json)
    if drill:
        return backups.drill(as_json=as_json)
    if init_db:
        return _init_db(superuser_url, as_json=as_json)
    return _examine(as_json=as_json)


def _one_of(**actions: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in actions.items() if value]
    if len(given) > 1:
        raise usage(f"{' and '.join(given)} do not go together.", field=given[1])


def _belongs(given: bool, option: str, *, to: Path | None, named: str) -> None:
    if given and to is None:
        raise usage(f"{option} goes with {named}.", field=option)


def _examine(*, as_json: bool) -> Exit:
    start_django()
    # Django must be set up before these may be imported.
    from promptstore.cli.doctor.database import check_database
    from promptstore.cli.doctor.surroundings import check_broker, check_disk, check_keys, check_serving

    findings = [*check_database(), *check_broker(), *check_keys(), *check_serving(), *check_disk(home())]
    value = {"findings": [asdict(finding) for finding in findings], "ok": not any(map(_failed, findings))}
    show(value, [line for finding in findings for line in _lines(finding)], as_json=as_json)
    if any(finding.unreachable for finding in findings):
        return Exit.UNREACHABLE
    return Exit.FINDINGS if any(map(_failed, findings)) else Exit.FINE


def _init_db(superuser_url: str | None, *, as_json: bool) -> Exit:
    adopt_running_instance()
    if not superuser_url:
        raise usage("Say who may create roles and databases.", field="--superuser-url")
    from promptstore.local.errors import ConfigError, LocalError
    from promptstore.local.init_db import init_db

    try:
        init_db(
            superuser_url=superuser_url,
            owner_url=os.environ.get("DATABASE_OWNER_URL", ""),
            application_url=os.environ.get("DATABASE_URL", ""),
        )
    except ConfigError as error:
        raise usage(str(error), field=error.variable) from error
    except LocalError as error:
        raise CommandError(Exit.FINDINGS, {"code": "init_db", "detail": f"{error}."}) from error
    except psycopg.Error as error:
        raise unreachable(f"The server refused: {str(error).strip()}", code="database") from error
    done = "Roles, database and extensions are in place. Next: python manage.py migrate --database owner"
    show({"ok": True}, [done], as_json=as_json)
    return Exit.FINE


def _failed(finding: Finding) -> bool:
    return finding.verdict is Verdict.FAIL


def _lines(finding: Finding) -> list[str]:
    lines = [f"{finding.verdict:<5} {finding.check}: {finding.detail}"]
    return [*lines, f"      → {finding.mend}"] if finding.mend else lines
