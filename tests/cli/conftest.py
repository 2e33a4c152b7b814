from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from promptstore.cli.main import main
from promptstore.core import keys
from tests.cast import Cast
from tests.cli.json_server import Answer, serving


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output of a command with `--json`."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """Standard error of a refused command with `--json`."""
        return json.loads(self.err)


PromptCtl = Callable[..., Ended]


@pytest.fixture
def promptctl(capsys: pytest.CaptureFixture[str]) -> PromptCtl:
    """`promptctl("releases", "status")` runs the real command in this process."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        seen = capsys.readouterr()
        return Ended(code, seen.out, seen.err)

    return run


@pytest.fixture
def sign_in(live_server: LiveServer, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From now on commands talk to the real server as the person with this role."""
    monkeypatch.setenv("PROMPTSTORE_URL", live_server.url)
    monkeypatch.setenv("PROMPTSTORE_PROJECT", cast.project.slug)

    def become(role: str) -> None:
        _, token = keys.create_personal_token(
            actor=cast.actor(role), project_id=cast.project.pk, name=f"terminal of {role}"
        )
        monkeypatch.setenv("PROMPTSTORE_TOKEN", token)

    return become


@pytest.fixture
def json_server() -> Iterator[Callable[[Answer], str]]:
    """`json_server(answer)` starts a real HTTP server on loopback and returns its URL."""
    with ExitStack() as started:
        yield lambda answer: started.enter_context(serving(answer))
