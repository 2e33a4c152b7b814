"""Recipes are followed to the letter in a copy of the checkout, and their own proofs run there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, repository_files
from tests.docs import recipes

# The proofs start servers of their own: a database of this run may be in use.
_NOT_INHERITED = re.compile(r"(DATABASE_|BROKER_|PYTEST_|COV_|PROMPTSTORE_(?!MASTER_KEY|SECRET_KEY))")
# Their proofs migrate a database first.
WITH_DATABASE = {"add-a-notifier", "add-an-audit-event"}
Follow = Callable[[str], Path]


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """A copy of the checkout, as a repository, after a recipe was followed in it."""

    def followed(name: str) -> Path:
        for path in filter(is_text, repository_files()):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o755)
        run("git init --quiet .", tmp_path)
        recipes.follow(name, tmp_path)
        return tmp_path

    return followed


def is_text(path: Path) -> bool:
    """Whether a recipe may need the file; pictures and archives make copies slow."""
    return path.is_file() and path.suffix not in {".png", ".xz"}


def run(command: str, checkout: Path) -> str:
    """What a command prints in the checkout; it must succeed."""
    environ = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.match(name)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=checkout, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_says_what_to_test_what_to_document_and_where_to_see_it(name: str) -> None:
    text = recipes.text_of(name)
    missing = {"## The code", "## The test", "## The docs", "## See it", "## Prove it"} - set(
        text.splitlines()
    )
    assert not missing
    places = {block.path.split("/")[0] for block in recipes.blocks(name)}
    assert "tests" in places
    assert places & {"docs", "CHANGELOG.md"}


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_fits_the_code_as_it_is(name: str, follow: Follow) -> None:
    checkout, files = follow(name), " ".join(python_files(name))
    run(f".venv/bin/python -m ruff check {files}", checkout)
    run(f".venv/bin/python -m ruff format --check {files}", checkout)


@pytest.mark.real
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.proof] if name in WITH_DATABASE else [])
        for name in recipes.NAMES
    ],
)
def test_whoever_follows_a_recipe_gets_what_it_promises(name: str, follow: Follow) -> None:
    checkout = follow(name)
    proofs = recipes.proofs(name)
    assert proofs
    for proof in proofs:
        printed = run(proof.command, checkout)
        assert not [line for line in proof.prints if line not in printed], printed


@pytest.mark.proof
@pytest.mark.real
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", recipes.NAMES)
def test_what_a_recipe_writes_is_typed_and_keeps_the_layers(name: str, follow: Follow) -> None:
    checkout = follow(name)
    run(f".venv/bin/python -m mypy {' '.join(python_files(name))}", checkout)
    run('.venv/bin/python -c "from importlinter.cli import lint_imports_command as check; check()"', checkout)


def python_files(name: str) -> list[str]:
    return sorted({block.path for block in recipes.blocks(name) if block.path.endswith(".py")})
