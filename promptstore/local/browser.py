"""Find a Chromium for the browser tests, or get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 600


def find_chromium(environ: Mapping[str, str] = os.environ) -> str | None:
    """The path of a Chromium that starts: `CHROMIUM`, one on the PATH, or Playwright's own."""
    candidates = [environ.get("CHROMIUM"), *(shutil.which(name) for name in NAMES), _of_playwright()]
    return next((path for path in candidates if path and _starts(path)), None)


def get_chromium() -> str | None:
    """Find one; else as root install the system's package; else download Playwright's. `None` if all fail."""
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _try(["apt-get", "update"])
        _try(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
        if found := find_chromium():
            return found
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    return find_chromium()


def how_to_get_chromium() -> str:
    """For a person: the command that installs what is missing."""
    return "sudo apt-get install chromium    (or set CHROMIUM to the path of a Chromium or Chrome)"


def _of_playwright() -> str | None:
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() or None


def _starts(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _try(command: Sequence[str]) -> None:
    """Run a command that may fail: what counts is whether a Chromium starts afterwards."""
    print(f"$ {' '.join(command)}", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environ, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", flush=True)
