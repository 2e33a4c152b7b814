"""`make test`: get what tests need, run them, and say loudly what could not be got.

`python -m promptstore.local.testing [pytest arguments]`
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from promptstore.local import model
from promptstore.local.browser import get_chromium, how_to_get_chromium

DEFAULT_ARGUMENTS = ("-n", "2", "--dist", "loadfile", "-m", "not proof")


def main(arguments: Sequence[str]) -> int:
    """The exit code of pytest, or 1 if something is missing where nothing may be (`CI=true`)."""
    missing: dict[str, str] = {}
    environ = dict(os.environ)
    if chromium := get_chromium():
        environ["CHROMIUM"] = chromium
    else:
        missing["Chromium, for the browser tests"] = how_to_get_chromium()
    if lacking := model.missing():
        missing[f"the local model: {lacking}"] = "rm .venv/promptstore.json && make test"
    code = subprocess.run(
        [sys.executable, "-m", "pytest", *DEFAULT_ARGUMENTS, *arguments], env=environ, check=False
    ).returncode
    if missing:
        print(report(missing), flush=True)
        return code or (1 if os.environ.get("CI") == "true" else 0)
    return code


def report(missing: Mapping[str, str]) -> str:
    """What was missing, and the command that installs it."""
    lines = [f"  {what}\n      {how}" for what, how in missing.items()]
    rule = "!" * 80
    return "\n".join(("", rule, "NOT EVERYTHING WAS TESTED. Missing:", *lines, rule))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
