from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promptstore.cli.database import ROOT
from tests.cli.conftest import Ended, PromptCtl
from tests.world import World

SignIn = Callable[[str], None]
# The product's framework is not there, as on an auditor's machine.
_ALONE = (
    "import runpy, sys\n"
    "sys.modules['django'] = sys.modules['rest_framework'] = None\n"
    "sys.argv = ['bundles', sys.argv[1]]\n"
    "runpy.run_module('promptstore.cli.bundles', run_name='__main__')\n"
)


@pytest.fixture
def save(promptctl: PromptCtl, world: World, sign_in: SignIn, tmp_path: Path) -> Callable[..., Ended]:
    def bundle(role: str = "auditor", **options: Path) -> Ended:
        sign_in(role)
        more = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        return promptctl(
            "releases", "bundle", "1.0.0", "--feature", "assistant", "--output", tmp_path / "a.bundle", *more, "--json"
        )  # fmt: skip

    return bundle


def test_a_bundle_is_saved_with_its_key_and_checked_without_a_server(
    promptctl: PromptCtl, save: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.json"
    saved = save(key_output=key)
    assert saved.code == 0, saved.err
    monkeypatch.setenv("PROMPTSTORE_URL", "http://127.0.0.1:9")
    ended = promptctl("releases", "verify-bundle", tmp_path / "a.bundle", "--public-key", key)
    assert ended.code == 0, ended.out
    assert ended.out.startswith("assistant 1.0.0, project acme")
    assert "Everything holds." in ended.out
    unknown = promptctl("releases", "verify-bundle", tmp_path / "a.bundle")
    assert unknown.code == 0
    assert "open: signed by an unknown key" in unknown.out


def test_a_changed_byte_is_exit_code_1_and_says_which_member(
    promptctl: PromptCtl, save: Callable[..., Ended], tmp_path: Path
) -> None:
    assert save().code == 0
    file = tmp_path / "a.bundle"
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"how":"adopted"', b'"how":"Adopted"'))
    ended = promptctl("releases", "verify-bundle", file)
    assert ended.code == 1
    assert "fault: release.json was changed" in ended.out
    as_json = promptctl("releases", "verify-bundle", file, "--json")
    assert (as_json.code, as_json.json["ok"]) == (1, False)


def test_it_needs_neither_django_nor_configuration(save: Callable[..., Ended], tmp_path: Path) -> None:
    assert save().code == 0
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, str(tmp_path / "a.bundle")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"ok": true' in done.stdout


def test_nothing_is_replaced(save: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "a.bundle").write_text("mine")
    ended = save()
    assert (ended.code, ended.problem["field"]) == (2, "--output")
    assert (tmp_path / "a.bundle").read_text() == "mine"


def test_whoever_may_not_have_it_gets_no_file(save: Callable[..., Ended], tmp_path: Path) -> None:
    ended = save("writer")
    assert (ended.code, ended.problem["permission"]) == (4, "audit.read")
    assert not (tmp_path / "a.bundle").exists()


def test_what_cannot_be_read_is_a_usage_error(promptctl: PromptCtl, tmp_path: Path) -> None:
    assert promptctl("releases", "verify-bundle", tmp_path / "missing", "--json").code == 2
    (tmp_path / "file").write_bytes(b"\x1b]0;owned\x07")
    (tmp_path / "key").write_text("no key")
    ended = promptctl(
        "releases", "verify-bundle", tmp_path / "file", "--public-key", tmp_path / "key", "--json"
    )
    assert (ended.code, ended.problem["field"]) == (2, "--public-key")
    ended = promptctl("releases", "verify-bundle", tmp_path / "file")
    assert ended.code == 1
    assert "\x1b" not in ended.out
