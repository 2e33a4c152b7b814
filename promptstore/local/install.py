"""Build `.venv` from the lock files: `python -I promptstore/local/install.py run|dev`, in the checkout.

Runs before anything is installed, so it uses the standard library alone and imports nothing of the product.
What is installed is remembered by the hash of its lock files: unchanged files cost nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "promptstore.json"
REQUIREMENTS = Path("requirements")
# What a profile installs; `dev` holds everything that `run` holds.
PROFILES = {"run": ("local.txt", "model.txt"), "dev": ("dev.txt", "model.txt")}
WITHOUT_DEPENDENCIES = "model.txt"
INSTALLER = "uv.txt"


def install(profile: str) -> None:
    """Bring `.venv` up to date for `profile`. Exits with a message if it cannot."""
    if is_current(profile):
        return
    print(f"Installing into {VENV} (once; a few minutes without a package cache) …", flush=True)
    if not _works():
        _create()
    _run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS / INSTALLER))
    for name in PROFILES[profile]:
        extra = ["--no-deps"] if name == WITHOUT_DEPENDENCIES else []
        target = ["--python", str(PYTHON), "--require-hashes", *extra, "-r", str(REQUIREMENTS / name)]
        _run("-m", "uv", "pip", "install", *target, environ=_with_pips_index())
    STAMP.write_text(json.dumps({"profile": profile, "digest": digest(profile)}), encoding="utf-8")


def is_current(profile: str) -> bool:
    """Whether `.venv` works and holds what the lock files say now."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    fits = stamp["profile"] in {profile, "dev"} and stamp["digest"] == digest(stamp["profile"])
    return fits and _works()


def digest(profile: str) -> str:
    """Of the lock files of a profile."""
    files = (REQUIREMENTS / name for name in (INSTALLER, *PROFILES[profile]))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _works() -> bool:
    """Whether the interpreter runs (it may not after a system upgrade), is new enough and can install."""
    if not PYTHON.exists():
        return False
    test = "import sys, importlib.util as u; sys.exit(sys.version_info < (3, 11) or not u.find_spec('pip'))"
    return subprocess.run([PYTHON, "-c", test], capture_output=True, check=False).returncode == 0


def _create() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{done.stdout}{done.stderr}\nerror: {sys.executable} cannot make a virtual environment. On "
            f"Debian and Ubuntu its part for that is a package of its own: apt install python{version}-venv"
        )


def _run(*arguments: str, environ: Mapping[str, str] = os.environ) -> None:
    code = subprocess.run([PYTHON, *arguments], env=environ, check=False).returncode
    if code != 0:
        sys.exit(f"error: `{PYTHON} {' '.join(arguments)}` failed with exit code {code}; see above")


def _with_pips_index() -> dict[str, str]:
    """Where pip is told to use a mirror, uv uses it too; the hashes make sure it holds the same files."""
    asked = subprocess.run(
        [PYTHON, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    mirror = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {**({"UV_DEFAULT_INDEX": mirror} if mirror else {}), **os.environ}


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROFILES:
        sys.exit(f"usage: python -I promptstore/local/install.py {'|'.join(PROFILES)}")
    # Two `make`s in one checkout take turns.
    fcntl.flock(os.open(REQUIREMENTS, os.O_RDONLY), fcntl.LOCK_EX)
    install(sys.argv[1])
