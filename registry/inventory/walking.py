"""Which files of a tree are source: those that Git knows or would add, else all but what tools put there."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", "bower_components", ".venv", "venv", "env", "__pycache__", ".tox", ".nox", "dist",
        "build", "target", "vendor", "third_party", "site-packages",
        ".mypy_cache", ".ruff_cache", ".pytest_cache", ".next", ".nuxt",
        "coverage", ".terraform", ".idea", ".gradle",
    }
)  # fmt: skip
_GIT_TIMEOUT_S = 60
OnError = Callable[[Path, str], None]


def source_files(root: Path, *, on_error: OnError) -> Iterator[Path]:
    """Files below `root`, sorted by path; `root` itself where it is a file. Links are not followed, so there are no loops.

    A directory that cannot be listed goes to `on_error` with the reason.
    """
    if root.is_file():
        yield root
        return
    listed = _git_files(root)
    yield from listed if listed is not None else _walked(root, on_error)


def _git_files(root: Path) -> list[Path] | None:
    """What Git lists, ignored files left out; None where there is no repository, or no Git."""
    # A repository is hostile: no program that its configuration names may run.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]  # fmt: skip
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    names = sorted({name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name})
    return [path for name in names if _is_plain_file(path := root / name)]


def _walked(root: Path, on_error: OnError) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        on_error(Path(error.filename or root), error.strerror or "cannot be listed")

    for folder, folders, files in os.walk(root, followlinks=False, onerror=failed):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            path = Path(folder) / name
            if _is_plain_file(path):
                yield path


def _is_plain_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False  # Git knows it still; it is gone
    except OSError:
        return True  # reading it will say why it cannot be
