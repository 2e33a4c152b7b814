from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import psycopg
from cyclopts import Parameter

from promptstore.cli.database import adopt_running_instance, home, start_django
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
    as_json: Json = False,
) -> Exit:
    """Check this instance: database, roles, migrations, broker, keys, serving node, disk.

    Each line says ok, warn or fail and, where it is not ok, how to mend it. Nothing is changed, except with `--init-db`, which may
    run again at any time.

    Examples: `promptctl doctor` · `DATABASE_SUPERUSER_URL=postgresql://postgres:…@db/postgres promptctl doctor --init-db`

    Exit codes: 0 all well, or warnings only · 1 something fails · 4 something cannot be reached
    """
    if init_db:
        return _init_db(superuser_url, as_json=as_json)
    findings = _examine()
    value = {"findings": [asdict(finding) for finding in findings], "ok": not any(map(_failed, findings))}
    show(value, [line for finding in findings for line in _lines(finding)], as_json=as_json)
    if any(finding.unreachable for finding in findings):
        return Exit.UNREACHABLE
    return Exit.FINDINGS if any(map(_failed, findings)) else Exit.FINE


def _examine() -> list[Finding]:
    start_django()
    # Django must be set up before these may be imported.
    from promptstore.cli.doctor.database import check_database
    from promptstore.cli.doctor.surroundings import check_broker, check_disk, check_keys, check_serving

    return [*check_database(), *check_broker(), *check_keys(), *check_serving(), *check_disk(home())]


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
