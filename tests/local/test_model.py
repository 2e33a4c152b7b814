from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from promptstore.local import model
from promptstore.local.embedded import local_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(model.missing() is not None, reason="the local model is not installed"),
    pytest.mark.xdist_group("local-model"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_model(tmp_path_factory.mktemp("a home")) as url:
        yield url


def post(url: str, **body: Any) -> str:
    request = urllib.request.Request(
        f"{url}/chat/completions",
        data=json.dumps(
            {"messages": [{"role": "user", "content": "Say hello."}], "temperature": 0} | body
        ).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        text: str = response.read().decode()
        return text


def test_it_answers_a_chat_under_its_name(url: str) -> None:
    answer = json.loads(post(url, max_tokens=8))
    assert answer["model"] == model.NAME
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] <= 8


def test_it_streams(url: str) -> None:
    lines = [line for line in post(url, max_tokens=5, stream=True).splitlines() if line]
    assert len(lines) > 3
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_it_keeps_to_a_json_schema(url: str) -> None:
    schema = {
        "type": "object",
        "properties": {"level": {"enum": ["low", "high"]}},
        "required": ["level"],
        "additionalProperties": False,
    }
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "level", "strict": True, "schema": schema},
    }
    answer = json.loads(post(url, max_tokens=40, response_format=response_format))
    assert json.loads(answer["choices"][0]["message"]["content"])["level"] in {"low", "high"}
