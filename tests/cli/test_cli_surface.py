"""What scripts and people rely on whatever the command: help, exit codes, JSON, no secrets on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from promptstore.cli.database import ROOT
from promptstore.cli.exits import Exit
from promptstore.cli.releases.outcomes import PROMOTION, PROMOTION_ENDS, ROLLOUT, ROLLOUT_ENDS
from releases import states
from tests.cli.commands import COMMANDS, Command
from tests.cli.conftest import PromptCtl

commands = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@commands
def test_help_shows_an_example_and_exits_with_0(promptctl: PromptCtl, command: Command) -> None:
    ended = promptctl(*command.words, "--help")
    assert ended.code == 0
    assert "Example" in ended.out
    assert f"promptctl {command.name}" in " ".join(ended.out.split())


@commands
def test_every_command_but_the_server_itself_can_answer_in_json(command: Command) -> None:
    assert ("--json" in command.options) is (command.name != "serve")


@commands
def test_no_option_takes_a_secret(command: Command) -> None:
    assert not {"--token", "--key", "--password", "--api-key"} & command.options


@commands
def test_every_option_says_what_it_is_for(command: Command) -> None:
    assert not [name for name, text in command.help.items() if not text]


def test_exit_codes_never_change() -> None:
    assert {code.name: code.value for code in Exit} == {
        "FINE": 0,
        "FINDINGS": 1,
        "USAGE": 2,
        "INCONCLUSIVE": 3,
        "UNREACHABLE": 4,
    }


@pytest.mark.parametrize(
    "arguments", [("nope",), ("prompts", "lint"), ("releases", "create", "x"), ("audit", "verify", "--x")]
)
def test_a_wrong_call_is_a_usage_error_on_standard_error(
    promptctl: PromptCtl, arguments: tuple[str, ...]
) -> None:
    ended = promptctl(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")


def test_a_wrong_call_with_json_is_a_problem_document(promptctl: PromptCtl) -> None:
    assert promptctl("releases", "status", "--nope", "--json").problem["code"] == "usage"


def test_every_state_has_an_exit_code_and_every_final_state_ends_a_watch() -> None:
    assert PROMOTION.keys() == {state.value for state in states.PromotionState}
    assert ROLLOUT.keys() == {state.value for state in states.RolloutState}
    assert {state.value for state in states.ROLLOUT.final_states} == ROLLOUT_ENDS
    assert {state.value for state in states.PROMOTION.final_states} <= PROMOTION_ENDS


def test_the_version_is_that_of_the_project(promptctl: PromptCtl) -> None:
    version = promptctl("--version").out.strip()
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_it_runs_as_a_module_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "promptstore.cli", "nope"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Unknown command" in done.stderr
