"""An instance of any version of the product: started from a checkout on a home, and spoken to over HTTP alone."""

from __future__ import annotations

import http.cookiejar
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptstore.local.ports import free_port

START_WITHIN_S = 300
STOP_WITHIN_S = 60
NODE = "node-1"
POLL_S = 0.2
# Nothing of the caller's own settings may reach an instance that is tested.
_KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR")


class NotStartedError(Exception):
    """The supervisor ended, or was not ready in time; the text is what it said."""


def eventually(check: Callable[[], Any], what: str, *, within_s: float = 60) -> Any:
    """The first true answer of `check`, for something that other processes bring about."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, f"did not happen within {within_s:.0f} s: {what}"
        time.sleep(POLL_S)
    return found


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Instance:
    """A running instance; `checkout` is where its code is."""

    checkout: Path
    home: Path
    environment: Mapping[str, str]
    console_url: str
    serving_url: str

    @property
    def demo(self) -> dict[str, dict[str, str]]:
        """Passwords by name under `users`, serving keys by environment under `keys`."""
        found: dict[str, dict[str, str]] = json.loads((self.home / "demo.json").read_text(encoding="utf-8"))
        return found

    def serving(self, path: str, body: Mapping[str, Any] | None = None, *, environment: str) -> Answer:
        """One request to the data plane with the environment's demo key."""
        headers = {"Authorization": f"Bearer {self.demo['keys'][environment]}"}
        return _exchange(urllib.request.build_opener(), self.serving_url + path, body, headers=headers)

    def sign_in(self, name: str) -> Session:
        """A console session of one of the demo's people."""
        session = Session(self.console_url)
        session.post_form("/login/", username=name, password=self.demo["users"][name])
        return session

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of this version, with the instance's settings."""
        published = json.loads((self.home / "run" / "environment.json").read_text(encoding="utf-8"))
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.checkout,
            env={**self.environment, **published},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@dataclass
class Session:
    """A person's cookies. Writes carry the CSRF token, as the console's own pages do."""

    url: str
    _jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str) -> Answer:
        return self._send(path)

    def api(
        self, path: str, body: Mapping[str, Any] | None = None, *, method: str = "", **headers: str
    ) -> Any:
        """The management API of the demo's project; fails on anything but success. Returns the JSON."""
        answer = self._send(
            f"/api/v1/projects/acme/{path}",
            None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json", **headers},
        )
        assert answer.status < 300, f"{path}: {answer.status} {answer.text}"
        return answer.json

    def post_form(self, path: str, **fields: str) -> Answer:
        self._send(path)
        answer = self._send(path, urllib.parse.urlencode(fields).encode())
        assert answer.status < 400, f"{path}: {answer.status} {answer.text[:500]}"
        return answer

    def _send(
        self,
        path: str,
        data: bytes | None = None,
        *,
        method: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        tokens = {cookie.name: cookie.value or "" for cookie in self._jar}
        token = next((value for name, value in tokens.items() if "csrf" in name), "")
        sent = {"X-CSRFToken": token, "Referer": self.url, **(headers or {})}
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        return _exchange(opener, self.url + path, data, headers=sent, method=method)


def _exchange(
    opener: urllib.request.OpenerDirector,
    url: str,
    body: Mapping[str, Any] | bytes | None,
    *,
    headers: Mapping[str, str],
    method: str = "",
) -> Answer:
    sent = dict(headers)
    if isinstance(body, Mapping):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=sent, method=method or None)
    try:
        with opener.open(request, timeout=90) as response:
            return Answer(response.status, _headers(response.headers), response.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, _headers(error.headers), error.read().decode())


def _headers(found: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in found.items()}


def unpacked(archive: Path, place: Path) -> Path:
    """The home in an archive of `make_fixture`, below `place`."""
    with tarfile.open(archive) as file:
        file.extractall(place, filter="tar")
    place.chmod(0o711)
    return place / "home"


@contextmanager
def running(
    home: Path, *, checkout: Path, model_url: str, python: str = sys.executable, **extra: str
) -> Iterator[Instance]:
    """An instance on `home` from its readiness until the block ends; it is stopped as Ctrl-C does.

    `model_url` is an OpenAI-compatible server (`…/v1`). Raises `NotStartedError`.
    """
    port, serve_port = free_port(), free_port()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "PROMPTSTORE_HOME": str(home),
        "PORT": str(port),
        "SERVE_PORT": str(serve_port),
        "NODE_NAME": NODE,
        "PROMPTSTORE_MODEL_URL": model_url,
        **extra,
    }
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    log = home / "supervisor.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "promptstore.local", "--stop-with-parent"],
            cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _await_ready(process, log)
        yield Instance(
            checkout, home, environment, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{serve_port}"
        )
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        finally:
            process.kill()


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while "Ready after" not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStartedError(log.read_text(encoding="utf-8"))
        time.sleep(POLL_S)
