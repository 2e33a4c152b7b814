"""A whole instance as `make run` starts it — real database, broker, workers, serving node and language model — and a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import chromium as running_chromium

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
START_WITHIN_S = 240


@dataclass(frozen=True)
class Instance:
    console_url: str
    serving_url: str
    users: dict[str, str]
    keys: dict[str, str]

    @classmethod
    def read(cls, home: Path) -> Instance:
        """The instance that runs in a directory."""
        demo = json.loads((home / "demo.json").read_text())
        return cls(demo["console_url"], demo["serving_url"], demo["users"], demo["keys"])

    def call(
        self, path: str, body: dict[str, Any] | None = None, environment: str = "production"
    ) -> dict[str, Any]:
        """One request to the serving API with the environment's demo key."""
        request = urllib.request.Request(
            self.serving_url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.keys[environment]}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=90) as response:
            return {"headers": dict(response.headers), "body": json.loads(response.read())}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_instance(**settings: str) -> Iterator[Instance]:
    """A new instance with the demo, on free ports, with more `settings`; its logs are kept in `test-results/logs`."""
    with tempfile.TemporaryDirectory(prefix="ps-e2e-") as home:
        kept = {"PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR"}
        environ = {name: value for name, value in os.environ.items() if name in kept}
        environ |= {"PROMPTSTORE_HOME": home, "PORT": str(_free_port()), "SERVE_PORT": str(_free_port())}
        environ |= settings
        log = Path(home, "supervisor.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "promptstore.local", "--stop-with-parent"],
                cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            _await_ready(process, log)
            yield Instance.read(Path(home))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            shutil.copytree(Path(home, "logs"), RESULTS / "logs", dirs_exist_ok=True)


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with running_instance() as running:
        yield running


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while "Ready after" not in log.read_text():
        assert process.poll() is None, f"the supervisor ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"not ready in time:\n{log.read_text()}"
        time.sleep(0.5)  # polls a file that another process writes


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


def sign_in_as(browser: Browser, instance: Instance, name: str) -> Page:
    """A fresh session of one of the demo's people, on the console."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{instance.console_url}/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", instance.users[name])
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


@pytest.fixture
def sign_in(instance: Instance, chromium: Browser) -> Callable[[str], Page]:
    """A fresh browser session of one of the demo's people, on the console."""
    return lambda name: sign_in_as(chromium, instance, name)


def eventually(check: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Wait for something that other processes bring about."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"did not happen within {within_s:.0f} s: {what}"
        time.sleep(0.5)
