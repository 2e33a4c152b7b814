from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from promptstore.cli.database import ROOT
from promptstore.demo.content import PROMPT_BODY
from tests.cli.conftest import PromptCtl


def prompt_file(directory: Path, **changes: Any) -> Path:
    file = directory / "prompt.json"
    file.write_text(json.dumps(PROMPT_BODY | changes), encoding="utf-8")
    return file


def undeclared(directory: Path) -> Path:
    messages = [
        *PROMPT_BODY["messages"][:-1],
        {"role": "user", "content": "First line\n{{ request }} {{ tone }}"},
    ]
    return prompt_file(directory, messages=messages)


def test_a_clean_prompt_is_fine(promptctl: PromptCtl, tmp_path: Path) -> None:
    ended = promptctl("prompts", "lint", prompt_file(tmp_path))
    assert (ended.code, ended.err) == (0, "")


def test_an_error_names_message_line_column_and_rule(promptctl: PromptCtl, tmp_path: Path) -> None:
    ended = promptctl("prompts", "lint", undeclared(tmp_path))
    assert ended.code == 1
    last = len(PROMPT_BODY["messages"]) - 1
    assert f"messages[{last}]:2:18: error: " in ended.out
    assert "undeclared" in ended.out


def test_findings_as_json_carry_the_names_of_the_api(promptctl: PromptCtl, tmp_path: Path) -> None:
    ended = promptctl("prompts", "lint", undeclared(tmp_path), "--json")
    assert ended.code == 1
    assert ended.json["publishable"] is False
    [finding] = [one for one in ended.json["findings"] if one["severity"] == "error"]
    assert (finding["line"], finding["column"]) == (2, 18)
    assert finding.keys() >= {"rule", "message", "hint", "message_index", "end_column", "field"}


def test_budget_and_banned_topics_are_applied(promptctl: PromptCtl, tmp_path: Path) -> None:
    file = prompt_file(tmp_path)
    assert promptctl("prompts", "lint", file, "--token-budget", 3).code == 1
    ended = promptctl(
        "prompts", "lint", file, "--banned-topic", "lottery", "--banned-topic", "office network"
    )
    assert ended.code == 1
    assert "office network" in ended.out


def test_warnings_fail_only_when_asked_to(promptctl: PromptCtl, tmp_path: Path) -> None:
    schema = json.loads(json.dumps(PROMPT_BODY["input_schema"]))
    schema["properties"]["unused"] = {"type": "string"}
    file = prompt_file(tmp_path, input_schema=schema)
    ended = promptctl("prompts", "lint", file)
    assert (ended.code, "warning" in ended.out) == (0, True)
    assert promptctl("prompts", "lint", file, "--strict").code == 1


def test_a_malformed_prompt_names_the_field(promptctl: PromptCtl, tmp_path: Path) -> None:
    ended = promptctl(
        "prompts", "lint", prompt_file(tmp_path, messages=[{"role": "pirate", "content": "Arr"}]), "--json"
    )
    assert ended.code == 1
    assert ended.problem["code"] == "invalid_prompt"
    assert ended.problem["field"] == "messages[0].role"


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000, "[]", "null"])
def test_what_is_no_prompt_as_json_is_refused_with_a_reason(
    promptctl: PromptCtl, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "prompt.json"
    file.write_text(text, encoding="utf-8")
    ended = promptctl("prompts", "lint", file)
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err


def test_a_file_that_is_not_there_is_a_usage_error(promptctl: PromptCtl, tmp_path: Path) -> None:
    assert promptctl("prompts", "lint", tmp_path / "nothing.json").code == 2


def test_template_bombs_end_at_once(promptctl: PromptCtl, tmp_path: Path) -> None:
    for bomb in ("{{ range(10**9) }}", '{{ "a"*10**9 }}'):
        file = prompt_file(tmp_path, messages=[{"role": "user", "content": bomb}])
        assert promptctl("prompts", "lint", file).code == 1


def test_standard_input_is_read_for_a_dash(promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    data = io.BytesIO(json.dumps(PROMPT_BODY).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data, encoding="utf-8"))
    assert promptctl("prompts", "lint", "-").code == 0


def test_lint_needs_neither_a_server_nor_the_framework(tmp_path: Path) -> None:
    """As a process of its own, with nothing configured: what a pre-commit hook runs."""
    script = (
        "import sys; from promptstore.cli.main import main\n"
        f"code = main(['prompts', 'lint', {str(undeclared(tmp_path))!r}])\n"
        "sys.exit(10 + code if 'django' in sys.modules else code)"
    )
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=bare, capture_output=True, check=False
    )
    assert done.returncode == 1, done.stderr.decode()
