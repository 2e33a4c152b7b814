"""When the server is away, does not know us, or says no."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promptstore.cli.output import problem_lines
from promptstore.local.ports import free_port
from tests.cli.conftest import PromptCtl

SignIn = Callable[[str], None]


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSTORE_PROJECT", "acme")
    monkeypatch.setenv("PROMPTSTORE_TOKEN", "pt_nobody")


def test_a_server_that_is_not_there_is_code_4_and_says_what_to_set(
    promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTSTORE_URL", f"http://127.0.0.1:{free_port()}")
    ended = promptctl("releases", "status", "--json")
    assert (ended.code, ended.problem["code"]) == (4, "unreachable")
    assert "PROMPTSTORE_URL" in ended.problem["detail"]


def test_an_answer_of_a_proxy_is_told_from_one_of_the_product(
    promptctl: PromptCtl, json_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTSTORE_URL", json_server(lambda _path, _body: (502, "Bad gateway")))
    ended = promptctl("releases", "status", "--json")
    assert (ended.code, ended.problem["code"]) == (4, "http_502")


def test_an_unknown_token_is_code_4(promptctl: PromptCtl, sign_in: SignIn) -> None:
    sign_in("auditor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMPTSTORE_TOKEN", "pt_" + "x" * 43)
        ended = promptctl("releases", "status", "--json")
    assert (ended.code, ended.problem["status"]) == (4, 401)


def test_a_token_can_lie_in_a_file(promptctl: PromptCtl, sign_in: SignIn, tmp_path: Path) -> None:
    sign_in("auditor")
    with pytest.MonkeyPatch.context() as patch:
        file = tmp_path / "token"
        file.write_text(os.environ["PROMPTSTORE_TOKEN"] + "\n", encoding="utf-8")
        patch.delenv("PROMPTSTORE_TOKEN")
        assert promptctl("releases", "status").code == 2
        assert promptctl("releases", "status", "--token-file", file).code == 0


@pytest.mark.parametrize("token", ["", "two words", "pt_\x00", "pt_ü", "pt_x\r\nX-Evil: 1"])
def test_what_cannot_be_a_token_is_never_sent(
    promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str
) -> None:
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    assert promptctl("releases", "status", "--token-file", file).code == 2


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://"])
def test_a_url_that_cannot_work_is_a_usage_error(
    promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PROMPTSTORE_URL", url)
    assert promptctl("releases", "status").code == 2


def test_the_token_never_shows(promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSTORE_URL", f"http://127.0.0.1:{free_port()}")
    ended = promptctl("releases", "status")
    assert "pt_nobody" not in ended.out + ended.err


def test_a_problem_document_becomes_sentences_with_field_and_code() -> None:
    problem = {
        "code": "invalid",
        "status": 400,
        "detail": "The input is not valid.",
        "errors": [{"field": "plan.steps[0]", "detail": "Weights only go up."}],
    }
    assert problem_lines(problem) == [
        "error: The input is not valid.",
        "  plan.steps[0]: Weights only go up.",
        "  code: invalid, HTTP 400",
    ]
