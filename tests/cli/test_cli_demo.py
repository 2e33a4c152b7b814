from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from promptstore.cli.demo.requests import PEOPLE, Crowd
from promptstore.demo import content
from promptstore.local.ports import free_port
from registry.rendering import PromptSpec, compile_prompt
from tests.cli.conftest import PromptCtl


@pytest.fixture
def demo_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMPTSTORE_HOME", str(tmp_path))
    return tmp_path


def announce(home: Path, url: str) -> None:
    access = {"serving_url": url, "keys": {"staging": "ps_s", "production": "ps_p"}}
    (home / "demo.json").write_text(json.dumps(access), encoding="utf-8")


def completion(reason: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": "{}"}, "finish_reason": reason}]}


def test_traffic_is_counted_per_arm_and_stops_by_itself(
    promptctl: PromptCtl, demo_home: Path, json_server: Any
) -> None:
    seen: list[dict[str, Any]] = []
    lock = threading.Lock()

    def answer(path: str, body: Any) -> tuple[Any, ...]:
        with lock:
            seen.append({"path": path, **body})
            number = len(seen)
        if number == 3:
            return 200, completion("content_filter"), {"x-promptstore-arm": "candidate"}
        if number == 4:
            return 503, {"error": {"message": "busy"}}, {"x-promptstore-arm": "stable"}
        return 200, completion("stop"), {"x-promptstore-arm": "candidate" if number % 5 == 0 else "stable"}

    announce(demo_home, json_server(answer))
    ended = promptctl("demo", "traffic", "--rate", 20, "--duration", 0.5, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["sent"] == len(seen) == 10
    assert ended.json["arms"] == {
        "candidate": {"answered": 2, "withheld": 1},
        "stable": {"answered": 6, "failed": 1},
    }
    assert {request["path"] for request in seen} == {"/v1/chat/completions"}
    assert {request["model"] for request in seen} == {content.FEATURE}
    assert all(request["unit"] and request["prompt_variables"]["request"] for request in seen)


def test_without_json_it_ends_with_one_line_of_counts(
    promptctl: PromptCtl, demo_home: Path, json_server: Any
) -> None:
    announce(
        demo_home,
        json_server(lambda _path, _body: (200, completion("stop"), {"x-promptstore-arm": "stable"})),
    )
    ended = promptctl("demo", "traffic", "--rate", 10, "--duration", 0.3)
    assert ended.code == 0
    assert ended.out.count("\n") == 1
    assert "3 sent  stable 3  p50 " in ended.out


def test_refusals_alone_are_inconclusive(promptctl: PromptCtl, demo_home: Path, json_server: Any) -> None:
    announce(demo_home, json_server(lambda _path, _body: (401, {"error": {"message": "unknown key"}})))
    ended = promptctl("demo", "traffic", "--rate", 10, "--duration", 0.2, "--json")
    assert ended.code == 3
    assert set(ended.json["arms"]["none"]) == {"refused"}


def test_no_server_is_code_4(promptctl: PromptCtl, demo_home: Path) -> None:
    announce(demo_home, f"http://127.0.0.1:{free_port()}")
    assert promptctl("demo", "traffic", "--rate", 10, "--duration", 0.2).code == 4


@pytest.mark.parametrize(
    "url", ["http://192.0.2.7:8001", "https://serve.example.com", "http://127.0.0.1.example.com"]
)
def test_traffic_never_leaves_this_machine(promptctl: PromptCtl, demo_home: Path, url: str) -> None:
    announce(demo_home, url)
    ended = promptctl("demo", "traffic", "--json")
    assert (ended.code, ended.problem["code"]) == (4, "not_allowed")


@pytest.mark.parametrize(
    "arguments", [("--rate", "1000"), ("--rate", "0"), ("--duration", "100000"), ("--environment", "moon")]
)
def test_traffic_is_bounded(promptctl: PromptCtl, demo_home: Path, arguments: tuple[str, ...]) -> None:
    announce(demo_home, "http://127.0.0.1:9")
    assert promptctl("demo", "traffic", *arguments).code == 2


def test_without_a_demo_it_says_how_to_get_one(promptctl: PromptCtl, demo_home: Path) -> None:
    ended = promptctl("demo", "traffic")
    assert ended.code == 4
    assert "make run" in ended.err


def test_every_request_is_one_that_the_demos_prompt_accepts() -> None:
    prompt = compile_prompt(PromptSpec.from_dict(content.PROMPT_BODY))
    crowd = Crowd(seed=1)
    for _ in range(500):
        asked = crowd.ask()
        assert asked.request in prompt.render({"request": asked.request})[-1]["content"]


def test_people_come_back_and_requests_vary() -> None:
    crowd = Crowd(seed=1)
    asked = [crowd.ask() for _ in range(2_000)]
    people = Counter(one.unit for one in asked)
    assert PEOPLE * 0.8 < len(people) <= PEOPLE
    assert people.most_common(1)[0][1] > 3 * 2_000 / PEOPLE
    assert len({one.request for one in asked}) > 200
    again = Crowd(seed=1)
    assert [again.ask() for _ in range(10)] == asked[:10]
