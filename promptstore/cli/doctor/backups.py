"""The options of `promptctl doctor` that make, check, restore and rehearse backups."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from promptstore.cli.backup.archive import KEYS, content
from promptstore.cli.backup.instance import instance, keep_keys, master_key_is_configured
from promptstore.cli.backup.making import make_backup
from promptstore.cli.backup.manifest import Manifest
from promptstore.cli.backup.refusals import refused
from promptstore.cli.backup.restoring import Restored, checked, rehearse, restore
from promptstore.cli.database import home
from promptstore.cli.exits import CommandError, Exit, unreachable, usage
from promptstore.cli.output import show
from promptstore.local.errors import LocalError
from promptstore.local.progress import Progress

_WITHOUT_KEYS = "The master key is NOT in it. Keep the key elsewhere: without it nobody can open this backup's credentials."
_WITH_KEYS = "The master key IS in it: whoever reads this file can open every credential. Guard it like the key itself."


def back_up(file: Path, *, with_keys: bool, as_json: bool) -> Exit:
    """`--backup FILE`."""
    target = file.absolute()
    with _understood(), instance() as here:
        manifest = make_backup(here, target, with_keys=with_keys, progress=_progress(as_json=as_json))
    lines = [f"Backed up to {file}", *_lines(manifest), _WITH_KEYS if with_keys else _WITHOUT_KEYS]
    show({"file": str(target), **_shown(manifest)}, lines, as_json=as_json)
    return Exit.FINE


def verify_backup(file: Path, *, as_json: bool) -> Exit:
    """`--verify-backup FILE`: needs neither database nor keys."""
    manifest = checked(file)
    show(
        {"file": str(file), "ok": True, **_shown(manifest)},
        [f"{file} is whole.", *_lines(manifest)],
        as_json=as_json,
    )
    return Exit.FINE


def restore_backup(file: Path, *, replace: bool, force: bool, yes: bool, as_json: bool) -> Exit:
    """`--restore FILE`."""
    with _understood():
        manifest = checked(file)
        written = _provide_keys(file, manifest)
        with instance(create=True) as here:
            done = restore(
                here,
                file,
                replace=replace,
                force=force,
                confirm=lambda database: _confirm(database, yes=yes),
                progress=_progress(as_json=as_json),
            )
    lines = [f"Restored {file}", *_lines(manifest), *_restored_lines(done)]
    lines += [f"Key from the backup: {path}" for path in written]
    show({"file": str(file), **_restored(done)}, lines, as_json=as_json)
    return Exit.FINE if done.resumed["log_is_whole"] else Exit.FINDINGS


def drill(*, as_json: bool) -> Exit:
    """`--drill`."""
    with _understood(), instance() as here:
        directory = home().resolve()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = rehearse(here, directory=directory, progress=_progress(as_json=as_json))
    whole = done.resumed["log_is_whole"]
    lines = [
        *_lines(done.manifest),
        *(f"fault: {fault}" for fault in done.resumed["faults"]),
        "The backup restores; nothing was changed."
        if whole
        else "The backup restores, but its audit log has faults.",
    ]
    show({**_restored(done), "ok": whole}, lines, as_json=as_json)
    return Exit.FINE if whole else Exit.FINDINGS


def _provide_keys(file: Path, manifest: Manifest) -> list[Path]:
    """Where this machine has no master key, the backup's, if it brings one."""
    if master_key_is_configured():
        return []
    if not manifest.with_keys:
        raise refused(
            "master_key",
            f"This backup does not hold the master key, and this machine has none. Put the key of that time into "
            f"{home() / 'secrets' / 'master_key'}, or set PROMPTSTORE_MASTER_KEY_FILE.",
            field="PROMPTSTORE_MASTER_KEY",
        )
    present = {member.name for member in manifest.members}
    return keep_keys({name: b"".join(content(file, name)).decode() for name in KEYS if name in present})


def _progress(*, as_json: bool) -> Progress:
    """For people. With `--json` standard error belongs to the problem document."""
    return Progress(io.StringIO() if as_json else sys.stderr)


def _confirm(database: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise usage(f"Say --yes to replace {database} without being asked.", field="--yes")
    print(f"This replaces {database}. Type its name to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != database:
        raise usage("That was another name; nothing was changed.", field="--yes")


@contextmanager
def _understood() -> Iterator[None]:
    """Servers that do not start, do not answer or refuse, and full disks, as exit codes."""
    try:
        yield
    except LocalError as error:
        raise CommandError(Exit.UNREACHABLE, {"code": "local_server", "detail": f"{error}"}) from error
    except OSError as error:
        raise refused("not_written", f"{error.filename or 'A file'}: {error.strerror or error}.") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise unreachable(f"The server does not allow it: {str(error).strip()}", code="database") from error
    except psycopg.Error as error:
        raise unreachable(
            f"The database does not answer as it should: {str(error).strip()}", code="database"
        ) from error


def _shown(manifest: Manifest) -> dict[str, Any]:
    value = manifest.to_dict()
    value["heads"] = {name: found for name, found in value["heads"].items() if name != "revoked_keys"}
    return value


def _lines(manifest: Manifest) -> list[str]:
    heads = manifest.heads
    size = sum(member.size for member in manifest.members)
    lines = [
        f"  made at {manifest.made_at} by version {manifest.product}, PostgreSQL {manifest.postgres_version}, {size / 1e6:.1f} MB",
        f"  audit log: sequence {heads.audit_sequence}, head {heads.audit_head}, {heads.audit_unsealed} not sealed yet",
    ]
    for one in heads.environments:
        epoch = (
            f"epoch {one['epoch']}, generation {one['generation']}" if one["epoch"] else "nothing published"
        )
        lines.append(f"  {one['project']}/{one['environment']}: {epoch}")
    return lines


def _restored(done: Restored) -> dict[str, Any]:
    lost = done.lost and {"audit_sequence": done.lost.audit_sequence, "audit_head": done.lost.audit_head}
    return {"backup": _shown(done.manifest), "replaced": lost, "former_database": done.former, **done.resumed}


def _restored_lines(done: Restored) -> list[str]:
    now = done.resumed
    lines = [
        f"{name} now serves epoch {epoch}, generation {number}"
        for name, (epoch, number) in now["epochs"].items()
    ]
    lines.append(
        f"{now['rollouts_paused']} rollouts paused, {now['approvals_dismissed']} approvals dismissed, "
        f"{now['checks_cancelled']} checks cancelled, {now['messages_given_up']} messages given up, "
        f"{now['sessions_ended']} sessions ended, {now['keys_revoked_again']} keys revoked again"
    )
    lines.append(f"Keep this checkpoint: sequence {now['sequence']}, head {now['head']}")
    lines += [f"fault: {fault}" for fault in now["faults"]]
    if done.lost:
        lines.append(
            f"Lost: what followed sequence {done.manifest.heads.audit_sequence}; the log had reached {done.lost.audit_sequence}."
        )
    if now["keys_to_check"]:
        lines.append("These keys work; revoke those that had been revoked after the backup:")
        lines += [f"  {key}" for key in now["keys_to_check"]]
    if done.former:
        lines.append(
            f"The former database is kept as {done.former}. Once you are content: DROP DATABASE {done.former}"
        )
    return lines
