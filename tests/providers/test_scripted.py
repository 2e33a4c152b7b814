from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from providers.scripted import Behaviour, ScriptedServer, parse_script
from providers.scripted.behaviour import picked, request_key

ROOT = Path(__file__).resolve().parents[2]


def call(base: str, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any, Any]:
    request = urllib.request.Request(base + path, data=json.dumps(body).encode(), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read())


def ask(server: ScriptedServer, text: str = "hi", model: str = "m") -> str:
    _, _, body = call(
        server.base_url,
        "/chat/completions",
        {"model": model, "messages": [{"role": "user", "content": text}]},
    )
    return str(body["choices"][0]["message"]["content"])


def test_it_says_that_it_is_scripted() -> None:
    with ScriptedServer() as server:
        _, headers, body = call(server.base_url, "/chat/completions", {"model": "m", "messages": []})
    assert headers["Server"] == "promptstore-scripted"
    assert body["system_fingerprint"] == "scripted"


def test_models_behave_as_they_are_told_and_may_change_at_run_time() -> None:
    with ScriptedServer(
        {"models": {"a": {"answer": "from a"}}, "default": {"answer": "$model said $last"}}
    ) as server:
        assert ask(server, model="a") == "from a"
        assert ask(server, "x", model="b") == "b said x"
        status, _, _ = call(
            server.base_url.removesuffix("/v1"), "/_script", {"default": {"answer": "new"}}, "PUT"
        )
        assert status == 200
        assert ask(server, model="a") == "new"
        assert server.calls("a") == 1


def test_it_changes_under_the_same_name_after_a_number_of_calls() -> None:
    then = {"answer": "worse", "after_calls": 1, "then": {"answer": "worst"}}
    with ScriptedServer({"default": {"answer": "good", "after_calls": 2, "then": then}}) as server:
        assert [ask(server) for _ in range(5)] == ["good", "good", "worse", "worst", "worst"]


def test_shares_are_picked_by_the_request_so_that_runs_repeat() -> None:
    script = {
        "default": {
            "answer": "fine",
            "policy_share_bp": 3_000,
            "policy_answer": "bad",
            "invalid_share_bp": 2_000,
        }
    }
    with ScriptedServer(script) as server:
        first = [ask(server, f"question {n}") for n in range(120)]
        second = [ask(server, f"question {n}") for n in range(120)]
    assert first == second
    assert 20 <= first.count("bad") <= 55
    assert 8 <= first.count("this is no JSON") <= 40


def test_a_share_picks_nothing_at_0_and_all_at_100_percent() -> None:
    keys = [request_key("m", [n]) for n in range(200)]
    assert not any(picked(key, "x", 0) for key in keys)
    assert all(picked(key, "x", 10_000) for key in keys)


@pytest.mark.parametrize(
    "script",
    [
        [],
        {"modles": {}},
        {"default": {"anwser": "x"}},
        {"default": {"status": "500"}},
        {"default": {"hang": 1}},
    ],
)
def test_a_typo_in_a_script_is_an_error(script: Any) -> None:
    with pytest.raises(ValueError, match=r"script|behaviour|must be"):
        parse_script(script)
    with ScriptedServer() as server:
        assert call(server.base_url.removesuffix("/v1"), "/_script", script, "PUT")[0] == 400


def test_behaviours_default_to_a_good_answer() -> None:
    assert Behaviour().status == 200
    assert Behaviour().at_call(10_000) == Behaviour()


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"default": {"answer": "from the process"}}')
    command = [
        sys.executable,
        "-m",
        "providers.scripted",
        "--port",
        "0",
        "--script",
        str(tmp_path / "script.json"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        _, _, body = call(url, "/chat/completions", {"model": "m", "messages": []})
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert body["choices"][0]["message"]["content"] == "from the process"
    failed = subprocess.run(
        [*command[:-1], "/nowhere"], capture_output=True, cwd=ROOT, timeout=20, check=False
    )
    assert failed.returncode == 1
