from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from promptstore.cli.inventory.scan import repository_name
from registry.models import SourceScan
from tests.cast import Cast
from tests.cli.conftest import PromptCtl
from tests.world import World

SignIn = Callable[[str], None]
OPEN = "import openai\nopenai.chat.completions.create(model='x')\n"
GOVERNED = "from openai import OpenAI\nOpenAI(base_url='https://prompts.example.com/v1').responses.create(model='x')\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "open.py").write_text(OPEN, encoding="utf-8")
    (tmp_path / "shop" / "governed.py").write_text(GOVERNED, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    return tmp_path


def test_a_scan_says_where_and_what_and_ends_with_0(promptctl: PromptCtl, tree: Path) -> None:
    ended = promptctl("scan", tree, "--gateway-host", "prompts.example.com")
    assert ended.code == 0
    assert "shop/open.py:2:1: openai chat.completions.create is not governed" in ended.out
    assert "broken.py: could not be read" in ended.out
    assert "2 files: 1 calls governed, 1 not, 0 ignored, 50% governed; 1 files could not be read" in ended.out


def test_it_fails_where_it_is_asked_to(promptctl: PromptCtl, tree: Path) -> None:
    assert promptctl("inventory", "scan", tree, "--fail-on-ungoverned").code == 1
    (tree / "broken.py").unlink()
    (tree / "shop" / "open.py").unlink()
    governed = ("--gateway-host", "prompts.example.com", "--fail-on-ungoverned")
    assert promptctl("inventory", "scan", tree, *governed).code == 0
    (tree / "broken.py").write_text("def (", encoding="utf-8")
    assert promptctl("inventory", "scan", tree, *governed).code == 1


def test_json_lists_every_call_site(promptctl: PromptCtl, tree: Path) -> None:
    found = promptctl("scan", tree, "--json").json
    assert (found["files"], found["governed"], found["ungoverned"]) == (2, 0, 2)
    assert {site["path"] for site in found["sites"]} == {"shop/open.py", "shop/governed.py"}
    assert found["unread"][0]["path"] == "broken.py"


def test_sarif_points_at_each_call(promptctl: PromptCtl, tree: Path) -> None:
    document = json.loads(promptctl("scan", tree, "--sarif", "--gateway-host", "prompts.example.com").out)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"ungoverned-call", "unread-file"}
    call, unread = run["results"]
    place = call["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("shop/open.py", 2)
    assert (call["ruleId"], unread["ruleId"]) == ("ungoverned-call", "unread-file")
    assert call["partialFingerprints"]["callSite/v1"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("nowhere",), (".", "--json", "--sarif"), (".", "--upload")],
    ids=" ".join,
)
def test_a_scan_that_cannot_be_is_a_usage_error(
    promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROMPTSTORE_PROJECT", raising=False)
    assert promptctl("scan", *arguments).code == 2


def test_an_upload_is_kept_on_the_server(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, tree: Path
) -> None:
    sign_in("engineer")
    assert promptctl("scan", tree, "--upload", "--source", "shop").code == 0
    scan = SourceScan.objects.get()
    assert (scan.source, scan.ungoverned, scan.files) == ("shop", 2, 2)
    assert scan.unread[0].startswith("broken.py: not valid Python")


def test_who_may_not_report_gets_code_4_and_nothing_is_kept(
    promptctl: PromptCtl, cast: Cast, sign_in: SignIn, tree: Path
) -> None:
    sign_in("auditor")
    assert promptctl("scan", tree, "--upload").code == 4
    assert not SourceScan.objects.exists()


def test_the_list_shows_every_point_of_inference(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    sign_in("auditor")
    ended = promptctl("inventory", "list", "--state", "silent")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 2
    assert "never called" in ended.out
    assert (
        promptctl("inventory", "list", "--environment", "production", "--json").json[0]["release"] == "1.0.0"
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/shop.git", "github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "github.com/acme/shop"),
        ("https://user:secret@git.example.com/acme/shop", "git.example.com/acme/shop"),
        ("ssh://git@git.example.com:2222/acme/shop.git", "git.example.com/acme/shop"),
        ("", ""),
    ],
)
def test_a_repository_is_named_without_secrets(url: str, name: str) -> None:
    assert repository_name(url) == name
