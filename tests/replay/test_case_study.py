"""The case study as a person runs it: from the command to its claims, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptstore.local import model
from promptstore.local.embedded import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(model.missing() is not None, reason=f"no local model: {model.missing()}"),
]
COMMAND = (sys.executable, "-m", "promptstore.cli", "replay", "case-study")


@pytest.fixture
def place() -> Iterator[Path]:
    """Where the replay puts its home: a short path, because sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="rp-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def environment(place: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return {**inherited, "TMPDIR": str(place)}


def left_behind(place: Path) -> list[str]:
    """Files in `place`, and processes that were started for a home in it."""
    found = [path.name for path in place.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if f"{place}/".encode() in words:
            found.append(process.name)
    return found


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_every_claim_of_the_short_case_study_holds(place: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--short", "--json", "--output", str(tmp_path)],
        cwd=ROOT, env=environment(place), capture_output=True, text=True, check=False, timeout=840,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert [one["claim"] for one in found["claims"] if not one["holds"]] == []
    assert len(found["claims"]) == 10
    page = Path(found["report"]).read_text(encoding="utf-8")
    assert page.count("<svg") == 4, "weight and policy hits of both rollouts"
    assert page.count("✓ holds") == 10
    checked = subprocess.run(
        [sys.executable, "-m", "promptstore.cli.bundles", str(tmp_path / "release-2.0.0.bundle")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    assert left_behind(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_early_it_ends_what_it_started(place: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--short"], cwd=ROOT, env=environment(place), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("The provider starts")
        process.send_signal(number)
        assert process.wait(120) == 130
    assert left_behind(place) == []


def test_an_unknown_step_is_refused_before_anything_starts(place: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--until", "tomorrow"],
        cwd=ROOT, env=environment(place), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "register, stage, shadow, canary, change, rollback, mitigate, again" in done.stderr
    assert left_behind(place) == []
