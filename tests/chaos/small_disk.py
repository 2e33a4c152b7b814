"""A disk that is small enough to be filled: a file system in memory, which takes the rights to mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = bytes(65_536)


@contextmanager
def small_disk(directory: Path, *, megabytes: int) -> Iterator[Path]:
    """Mounted at `directory` until the block ends; skips the test, and says so, where that is not allowed."""
    directory.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "promptstore-test", str(directory)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> Path:
    """Take what is left, to the last block; remove the file to give it back."""
    ballast = directory / "ballast"
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while True:
            os.write(descriptor, _BLOCK)
    except OSError:
        return ballast
    finally:
        os.close(descriptor)
