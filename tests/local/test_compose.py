"""What docker-compose.yml and the Dockerfile say works, seen by running every command of theirs outside Docker."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.local.compose import Machine, interpolate, services

LONG_RUNNING = sorted(
    name for name, one in services().items() if one.get("restart") != "no" and name != "model"
)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    directory = Path(tempfile.mkdtemp(prefix="ps-compose-"))
    directory.chmod(0o755)  # the database's account passes through
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory)
        made = Machine(directory=directory, stack=stack)
        made.prepare()
        made.build()
        yield made


def test_variables_have_defaults_and_missing_ones_are_named() -> None:
    filled = interpolate({"a": ["${X:-1}:${Y:?set it}", "$$HOME"]}, {"Y": "2"})
    assert filled == {"a": ["1:2", "$HOME"]}
    with pytest.raises(KeyError, match="Y: set it"):
        interpolate("${Y:?set it}", {})


@pytest.mark.proof
@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_starts_after_those_it_needs_and_is_healthy(machine: Machine, name: str) -> None:
    machine.up(name)
    assert machine.check_health(name) == 0, machine.log(name)


@pytest.mark.proof
def test_the_demo_is_loaded_and_served(machine: Machine) -> None:
    for name in ("serving", "worker", "demo"):
        machine.up(name)
    key = json.loads((machine.home / "demo.json").read_text())["keys"]["production"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{machine.ports[8001]}/v1/features/config-assistant/resolve?unit=u",
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["release"]["version"] == "1.0.0"
