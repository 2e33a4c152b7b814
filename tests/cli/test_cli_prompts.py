from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.models import LanguageModel, PromptDraft, PromptVersion
from tests.cli.conftest import PromptCtl
from tests.world import PROMPT_BODY, World

SignIn = Callable[[str], None]


def body(text: str) -> dict[str, Any]:
    """The prompt of the world, saying `text` first."""
    return {**PROMPT_BODY, "messages": [{"role": "system", "content": text}, *PROMPT_BODY["messages"][1:]]}


def written(directory: Path, value: object) -> Path:
    file = directory / "value.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def test_a_writer_publishes_a_file_as_the_next_version(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("writer")
    file = written(tmp_path, body("Suggest one entry, and say why in five words."))
    ended = promptctl("prompts", "publish", "assistant", "--file", file, "--changelog", "Says why.", "--json")
    assert ended.code == 0, ended.err
    row = PromptVersion.objects.get(prompt__name="assistant", version=ended.json["version"])
    assert (row.digest, row.changelog) == (ended.json["digest"], "Says why.")


def test_publishing_a_draft_that_says_nothing_new_is_refused(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    sign_in("writer")
    ended = promptctl("prompts", "publish", "assistant", "--json")
    assert ended.code == 1
    assert ended.problem["code"] == "unchanged"


def test_what_the_linter_forbids_is_shown_with_its_place_and_not_published(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("writer")
    before = PromptVersion.objects.count()
    ended = promptctl(
        "prompts", "publish", "assistant", "--file", written(tmp_path, body("Hello {{ stranger }}"))
    )
    assert ended.code == 1
    assert "messages[0]:1:10: " in ended.err
    assert "code: lint_errors, HTTP 422" in ended.err
    assert PromptVersion.objects.count() == before


def test_somebody_who_may_only_read_gets_code_4_and_changes_nothing(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("auditor")
    before = PromptDraft.objects.get(prompt__name="assistant").body
    ended = promptctl(
        "prompts", "publish", "assistant", "--file", written(tmp_path, body("Other.")), "--json"
    )
    assert ended.code == 4
    assert ended.problem["code"] == "not_allowed"
    assert PromptDraft.objects.get(prompt__name="assistant").body == before


def test_a_new_prompt_is_made_only_when_asked_for(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("writer")
    file = written(tmp_path, body("A new one."))
    assert promptctl("prompts", "publish", "greeting", "--file", file).code == 1
    ended = promptctl(
        "prompts", "publish", "greeting", "--file", file, "--create", "--version", "0.1.0", "--json"
    )
    assert ended.code == 0, ended.err
    assert ended.json["version"] == "0.1.0"


def test_show_prints_the_highest_version_or_the_named_one(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    sign_in("auditor")
    world.publish("Suggest one entry. Answer in one short line.")
    latest = promptctl("prompts", "show", "assistant")
    assert latest.code == 0
    assert "Answer in one short line." in latest.out
    first = promptctl("prompts", "show", "assistant", "--version", "1.0.0", "--json")
    assert first.json["body"]["messages"][0]["content"] == PROMPT_BODY["messages"][0]["content"]


def test_a_prompt_that_is_not_there_is_refused_by_name(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    sign_in("auditor")
    ended = promptctl("prompts", "show", "nothing/../else?x=1", "--json")
    assert (ended.code, ended.problem["code"]) == (1, "not_found")


def test_an_engineer_registers_a_model_from_a_file(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("engineer")
    entry = {
        "name": "large",
        "version": "2.0.0",
        "kind": "hosted",
        "provider": "local",
        "provider_model_id": "large-2026-02-01",
        "endpoint": "scripted",
        "snapshot_at": "2026-02-01T00:00:00Z",
    }
    ended = promptctl("models", "register", written(tmp_path, entry), "--json")
    assert ended.code == 0, ended.err
    assert LanguageModel.objects.get(name="large").versions.get().digest == ended.json["digest"]


@pytest.mark.parametrize("change", [{"version": "latest"}, {"endpoint": "nowhere"}, {"colour": "red"}])
def test_a_bad_entry_names_the_member(
    promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path, change: dict[str, str]
) -> None:
    sign_in("engineer")
    entry = {
        "version": "2.0.0",
        "kind": "hosted",
        "provider": "local",
        "provider_model_id": "large-2026-02-01",
        "endpoint": "scripted",
        "snapshot_at": "2026-02-01T00:00:00Z",
    }
    ended = promptctl("models", "register", written(tmp_path, entry | change), "--name", "large", "--json")
    assert ended.code == 1
    assert ended.problem["field"] == next(iter(change))
    assert not LanguageModel.objects.filter(name="large").exists()


def test_an_entry_without_a_name_is_a_usage_error(
    promptctl: PromptCtl, sign_in: SignIn, tmp_path: Path
) -> None:
    sign_in("engineer")
    assert promptctl("models", "register", written(tmp_path, {"version": "1.0.0"})).code == 2
