"""A scan meets other people's files: whatever is in them, it ends, and what it could not read it says."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.inventory import Gateways, scan_source, scan_tree
from registry.inventory.scanning import LANGUAGES, MAX_FILE_BYTES, UnreadableError
from registry.inventory.walking import source_files
from tests.registry.inventory.sample_tree import PYTHON, SCRIPTS

CALL = "import openai\nopenai.chat.completions.create(model='x')\n"
_PIECES = [
    "import openai\n", "openai", ".", "chat", "completions", "create", "(", ")", "{", "}", "[", "]", '"', "'", "`", "/", "*", "#",
    "\\", "\n", " ", "=", "base_url", "baseURL:", "${", "process.env.PROMPTSTORE_URL", "new OpenAI(", "await ", "def f():",
    "https://api.openai.com/v1/chat/completions", "promptstore: ignore[x]", "\ud800", "=>", "import x from 'openai';", "\x0c", "é",
]  # fmt: skip


@given(data=st.binary(max_size=400), suffix=st.sampled_from(sorted(LANGUAGES)))
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str) -> None:
    with suppress(UnreadableError):
        assert isinstance(scan_source(data, f"file{suffix}"), list)


@given(
    pieces=st.lists(st.sampled_from(_PIECES), max_size=60),
    suffix=st.sampled_from([".py", ".ts", ".go", ".sh"]),
)
def test_any_text_is_read_or_refused_and_lines_are_within_it(pieces: list[str], suffix: str) -> None:
    data = "".join(pieces).encode("utf-8", "surrogatepass")
    try:
        found = scan_source(data, f"file{suffix}")
    except UnreadableError:
        return
    assert all(1 <= site.line <= data.count(b"\n") + data.count(b"\x0c") + 1 for site in found)


_ADDRESSES = st.sampled_from(
    [
        "'https://gate.example.com/v1'", "'https://gate.example.com:8443/v1'", "os.environ['PROMPTSTORE_URL']",
        "os.getenv('PROMPTSTORE_URL')", "os.environ.get('PROMPTSTORE_URL', 'x') + '/v1'", "f'{os.environ[\"PROMPTSTORE_URL\"]}/v1'",
        "BASE", "settings.PROMPTSTORE_URL", "BASE.rstrip('/') + '/v1'", "str(BASE)", "f'{BASE}/v1'",
    ]
)  # fmt: skip
_SHAPES = st.sampled_from(
    [
        "c = OpenAI({a})\ndef f():\n    return c.{m}(model='x')\n",
        "class A:\n    def __init__(self):\n        self.c = OpenAI({a})\n    def f(self):\n        return self.c.{m}(model='x')\n",
        "def f():\n    with OpenAI({a}) as c:\n        return c.{m}(model='x')\n",
        "OpenAI({a}).{m}(model='x')\n",
        "async def f():\n    c = OpenAI({a})\n    d = c.with_options(timeout=1)\n    await d.{m}(model='x')\n",
    ]
)


@given(
    address=_ADDRESSES,
    shape=_SHAPES,
    method=st.sampled_from(["chat.completions.create", "responses.create", "embeddings.create", "beta.chat.completions.parse"]),
    name=st.sampled_from(["base_url={}", "api_key='x', base_url={}"]),
)  # fmt: skip
def test_a_governed_call_is_never_reported(address: str, shape: str, method: str, name: str) -> None:
    head = "import os\nfrom openai import OpenAI\nBASE = 'https://gate.example.com'\n"
    source = head + shape.format(a=name.format(address), m=method)
    found = scan_source(source.encode(), "a.py", Gateways(hosts=frozenset({"gate.example.com"})))
    assert [site.governed for site in found] == [True], source


@pytest.mark.parametrize(
    "source",
    ["(" * 5_000 + ")" * 5_000, "x = " + "-" * 100_000 + "1", "a" + ".b" * 50_000 + "()", "[" * 300 + "]" * 300, "x = (", "\tif:"],
)  # fmt: skip
def test_what_python_cannot_parse_is_listed_and_never_silent(tmp_path: Path, source: str) -> None:
    (tmp_path / "hostile.py").write_text(source)
    (tmp_path / "fine.py").write_text(CALL)
    found = scan_tree([tmp_path])
    assert [site.path for site in found.findings] == ["fine.py"]
    assert [file.path for file in found.unread] in (["hostile.py"], [])
    assert found.files + len(found.unread) == 2


@pytest.mark.parametrize(
    "source",
    ["\n" * 300_000, "=/[" * 100_000, "`${" * 100_000, "(" * 300_000, '"' * 200_000, "a.b " * 90_000],
)
def test_hostile_scripts_end(source: str) -> None:
    assert scan_source(source.encode(), "hostile.ts") == []


def test_large_and_binary_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    (tmp_path / "binary.js").write_bytes(b"\x00\x01")
    (tmp_path / "picture.png").write_bytes(b"\x00")
    assert [file.path for file in scan_tree([tmp_path]).unread] == ["binary.js", "large.py"]


def test_links_lead_nowhere_and_tools_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CALL)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "b.py").write_text(CALL)
    assert [site.path for site in scan_tree([tmp_path]).sites] == ["a.py"]


def test_a_directory_that_cannot_be_listed_is_said(tmp_path: Path) -> None:
    failed: list[tuple[Path, str]] = []
    gone = tmp_path / "gone"
    assert list(source_files(gone, on_error=lambda *error: failed.append(error))) == []
    assert failed == [(gone, "No such file or directory")]


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("secret/\n")
    for name in ("kept", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(CALL)
    assert [site.path for site in scan_tree([tmp_path]).sites] == ["kept/a.py"]


def test_ids_stay_while_lines_move_and_differ_between_equal_calls(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(CALL + "openai.chat.completions.create(model='x')\n")
    before = [site.fingerprint for site in scan_tree([tmp_path]).sites]
    file.write_text("# moved\n\n" + file.read_text())
    assert [site.fingerprint for site in scan_tree([tmp_path]).sites] == before
    assert len(set(before)) == 2


def test_keys_in_source_are_hidden_in_snippets() -> None:
    source = "import openai\nopenai.OpenAI(api_key='sk-proj-abcdefghijklmnop').responses.create()\n"
    (site,) = scan_source(source.encode(), "a.py")
    assert "sk-proj" not in site.snippet
    assert "[hidden]" in site.snippet


def test_nothing_that_is_shown_moves_a_cursor(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J.py").write_text(
        CALL.strip() + "  # promptstore: ignore[\x1b[31mred]\n", encoding="utf-8"
    )
    (site,) = scan_tree([tmp_path]).sites
    assert site.path == "a\\u001b[2J.py"
    assert all(text.isprintable() for text in (site.path, site.snippet, site.ignored))


def test_a_variable_that_the_sdk_reads_itself_governs_where_it_is_named() -> None:
    source = (PYTHON["openai_plain.py"]).encode()
    named = Gateways(variables=frozenset({"OPENAI_BASE_URL"}))
    assert all(site.governed for site in scan_source(source, "a.py", named))


def test_every_sample_is_of_a_language_that_is_read() -> None:
    assert all(any(path.endswith(suffix) for suffix in LANGUAGES) for path in PYTHON | SCRIPTS)
