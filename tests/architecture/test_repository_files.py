"""What is committed speaks of the product alone and is reproducible anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, repository_files, text_of

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# Home directories and mount points of one machine. Paths inside containers are /app, /data and /run/secrets.
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:home|Users|root|work|mnt)/[A-Za-z0-9_.-]+")
PACKAGE_INDEX = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|\b(?:files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org)"
)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Copied with version, licence and checksum; their text is not ours.
VENDORED = {"vendor", "data"}


def ours() -> list[tuple[str, str]]:
    """`(path, text)` of every text file that somebody here wrote."""
    found = []
    for path in repository_files():
        relative = path.relative_to(ROOT)
        if not VENDORED & set(relative.parts) and (text := text_of(path)) is not None:
            found.append((str(relative), text))
    return found


def matches(pattern: re.Pattern[str], *, skip: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path}:{number} {hit.group()}"
        for path, text in ours()
        if path not in skip
        for number, line in enumerate(text.splitlines(), 1)
        if (hit := pattern.search(line))
    ]


def test_no_file_names_a_path_of_one_machine() -> None:
    assert not matches(MACHINE_PATH)


def test_no_file_names_a_package_index() -> None:
    assert not matches(PACKAGE_INDEX, skip=(str(Path(__file__).relative_to(ROOT)),))


def test_nothing_is_left_to_do_in_comments() -> None:
    assert not matches(UNFINISHED)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_requirement_has_hashes_and_an_exact_version(lock: Path) -> None:
    logical = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    requirements = [line for line in logical if line.strip() and not line.lstrip().startswith("#")]
    assert requirements
    loose = [line.split()[0] for line in requirements if "==" not in line or "--hash=sha256:" not in line]
    assert not loose
    assert not [line for line in logical if re.search(r"https?://|^\s*-", line)]


def test_every_requirements_file_is_locked() -> None:
    sources = {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert sources == {path.stem for path in LOCKS}
