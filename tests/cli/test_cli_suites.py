from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.models import SuiteVersion
from tests.cast import Cast
from tests.cli.conftest import PromptCtl
from tests.evals.suites.published import EXACT, freeze, suite_body

SignIn = Callable[[str], None]


@pytest.fixture
def file(tmp_path: Path, cast: Cast) -> Path:
    freeze(cast)
    path = tmp_path / "support.json"
    path.write_text(json.dumps(suite_body(EXACT)), encoding="utf-8")
    return path


def test_a_suite_is_published_listed_and_shown(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path, tmp_path: Path
) -> None:
    sign_in("writer")
    assert promptctl("suites", "list").out == "No suites yet.\n"
    published = promptctl("suites", "publish", file, "--version", "1.0.0", "--changelog", "First.")
    assert published.code == 0, published.err
    assert SuiteVersion.objects.get().digest in published.out
    assert "support@1.0.0" in published.out
    assert "support  1.0.0  1 versions" in promptctl("suites", "list").out
    shown = promptctl("suites", "show", "support")
    again = tmp_path / "again.json"
    again.write_text(shown.out, encoding="utf-8")
    same = promptctl("suites", "publish", again, "--json")
    assert (same.code, same.problem["code"]) == (1, "unchanged")


def test_a_member_that_cannot_work_is_named_and_nothing_is_published(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path
) -> None:
    sign_in("writer")
    file.write_text(json.dumps(suite_body({"scorer": "guess"})), encoding="utf-8")
    refused = promptctl("suites", "publish", file, "--json")
    assert (refused.code, refused.problem["field"]) == (1, "body.stages[1].scorers[0].scorer")
    file.write_text(json.dumps(suite_body(EXACT, dataset="held-out@9.0.0")), encoding="utf-8")
    assert promptctl("suites", "publish", file).code == 1
    file.write_text("[]", encoding="utf-8")
    assert promptctl("suites", "publish", file).code == 1
    assert not SuiteVersion.objects.exists()


def test_who_may_not_edit_datasets_may_not_publish(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, file: Path
) -> None:
    sign_in("auditor")
    assert promptctl("suites", "publish", file).code != 0
    assert not SuiteVersion.objects.exists()
