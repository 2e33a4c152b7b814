"""The account PostgreSQL runs under when we are root, which it refuses to be."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "promptstore-pg"
FALLBACK = "nobody"


@dataclass(frozen=True)
class ServerAccount:
    """An account of this machine; `name` is what child.py switches to."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Hand a file or a whole directory over, if it is not this account's already."""
        if path.stat().st_uid == self.uid:
            return
        for directory, _, files in os.walk(path):
            for entry in (directory, *(os.path.join(directory, file) for file in files)):  # noqa: PTH118 - os.walk's strings
                os.chown(entry, self.uid, self.gid, follow_symlinks=False)
        os.chown(path, self.uid, self.gid)


def server_account() -> ServerAccount | None:
    """`None` for an ordinary user: the server runs as that user.

    As root it is a system account that is made once. Where none can be made (no `useradd`, a read-only
    `/etc`), it is `nobody`.
    """
    if os.geteuid() != 0:
        return None
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    for attempt in range(5):
        if (account := _find(NAME)) or useradd is None:
            break
        # Copies that start together race for the lock on /etc/passwd; the one that loses looks again.
        subprocess.run(
            [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
             "--shell", "/usr/sbin/nologin", NAME],
            check=False, capture_output=True,
        )  # fmt: skip
        time.sleep(0.1 * attempt)
    return account or _find(NAME) or _find(FALLBACK)


def all_may_enter(paths: Iterable[Path]) -> bool:
    """Whether every account may pass through all directories above the paths."""
    above = {directory for path in paths for directory in (*path.absolute().parents, *path.resolve().parents)}
    return all(directory.stat().st_mode & stat.S_IXOTH for directory in above)


def _find(name: str) -> ServerAccount | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return ServerAccount(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
