from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.models import Dataset, DatasetCase, DatasetVersion
from tests.cast import Cast
from tests.cli.conftest import PromptCtl

SignIn = Callable[[str], None]
CASES = '{"key": "quiet", "variables": {"request": "Less noise."}, "expected": "warning"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text(CASES, encoding="utf-8")
    return path


def test_a_file_is_imported_frozen_listed_and_exported(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path
) -> None:
    sign_in("writer")
    assert promptctl("datasets", "list").out == "No datasets yet.\n"
    ended = promptctl("datasets", "import", "held-out", file, "--create", "--json")
    assert (ended.code, ended.json["new"]) == (0, 1), ended.err
    assert promptctl("datasets", "import", "held-out", file).out == "0 cases added, 1 there already\n"
    frozen = promptctl("datasets", "freeze", "held-out", "--changelog", "First.", "--json")
    assert frozen.json["digest"] == DatasetVersion.objects.get().digest
    assert "held-out  1 cases  1.0.0" in promptctl("datasets", "list").out
    exported = promptctl("datasets", "export", "held-out", "--version", "1.0.0")
    assert json.loads(exported.out)["variables"] == {"request": "Less noise."}


def test_a_file_is_written_in_the_format_of_its_name(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path, tmp_path: Path
) -> None:
    sign_in("writer")
    promptctl("datasets", "import", "held-out", file, "--create")
    target = tmp_path / "cases.csv"
    assert promptctl("datasets", "export", "held-out", "--output", target).code == 0
    assert target.read_text(encoding="utf-8").startswith("key,")
    assert promptctl("datasets", "import", "held-out", target).out == "0 cases added, 1 there already\n"


def test_findings_name_file_line_and_column_and_end_with_1(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path
) -> None:
    sign_in("writer")
    promptctl("datasets", "import", "held-out", file, "--create")
    file.write_text(CASES + '{"variables": 5}\n', encoding="utf-8")
    tried = promptctl("datasets", "import", "held-out", file, "--dry-run")
    assert (tried.code, f"{file}:2: variables" in tried.out) == (1, True), tried.out
    refused = promptctl("datasets", "import", "held-out", file)
    assert refused.code == 1
    assert "code: import_findings" in refused.err
    assert DatasetCase.objects.count() == 1


def test_nothing_new_is_not_frozen(promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path) -> None:
    sign_in("writer")
    promptctl("datasets", "import", "held-out", file, "--create")
    promptctl("datasets", "freeze", "held-out")
    again = promptctl("datasets", "freeze", "held-out", "--json")
    assert (again.code, again.problem["code"]) == (1, "unchanged")


def test_who_may_not_edit_gets_code_4(promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path) -> None:
    sign_in("auditor")
    assert promptctl("datasets", "import", "held-out", file, "--create").code == 4
    assert not Dataset.objects.exists()


def test_a_format_that_nobody_said_is_a_usage_error(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("writer")
    assert promptctl("datasets", "import", "held-out", tmp_path / "cases.txt").code == 2
    assert promptctl("datasets", "import", "held-out", tmp_path / "missing.csv").code == 2
