"""What registry tests work with: a prompt with a draft, an endpoint that answers, a config body."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from registry.models import Endpoint, Prompt, PromptDraft
from registry.services import endpoints, prompts
from tests.cast import Cast

BODY: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You suggest configuration entries."},
        {"role": "user", "content": "Service: {{ service }}\nQuestion: {{ question }}"},
    ],
    "input_schema": {
        "type": "object",
        "properties": {"service": {"type": "string"}, "question": {"type": "string"}},
        "required": ["service", "question"],
    },
}
CONFIG: dict[str, Any] = {
    "on_withdraw": "safe_mode",
    "limits": {"max_output_tokens": 200, "timeout_ms": 8000},
    "safe_mode": {"kind": "template", "template": "Please ask again later{{ name | default('') }}."},
    "policy": {
        "mode": "buffer",
        "banned": [{"id": "secrets", "pattern": "root password"}],
        "message": "Withheld.",
    },
    "capture": {"share_bp": 500},
}
HOSTED: dict[str, Any] = {
    "kind": "hosted",
    "provider": "example",
    "provider_model_id": "assistant-2026-01-15",
    "endpoint": "main",
    "snapshot_at": "2026-02-01T10:00:00+02:00",
    "price": {"input_nanos_per_mtok": 150_000_000, "output_nanos_per_mtok": 600_000_000},
    "context_tokens": 8192,
}


def changed(**parts: Any) -> dict[str, Any]:
    """The standard body with other parts."""
    return {**BODY, **parts}


def says(text: str) -> dict[str, Any]:
    """The standard body with another system message."""
    return changed(messages=[{"role": "system", "content": text}, BODY["messages"][1]])


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = self.server.status  # type: ignore[attr-defined]
        self.server.seen.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


class ModelServer:
    """A server on loopback that answers `/models` with a status of our choice."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
        self._server.status = 200  # type: ignore[attr-defined]
        self._server.seen = []  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer_with(self, status: int) -> None:
        self._server.status = status  # type: ignore[attr-defined]

    @property
    def keys_seen(self) -> list[str | None]:
        seen: list[str | None] = self._server.seen  # type: ignore[attr-defined]
        return seen

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.stop()


def make_prompt(cast: Cast, name: str = "suggest", body: dict[str, Any] | None = None) -> Prompt:
    """A prompt whose main draft holds `body`, made by the writer."""
    return prompts.create_prompt(
        actor=cast.actor("writer"), project_id=cast.project.id, name=name, body=body or BODY
    )


@pytest.fixture
def prompt(cast: Cast) -> Prompt:
    return make_prompt(cast)


@pytest.fixture
def draft(prompt: Prompt) -> PromptDraft:
    return prompt.drafts.get()


@pytest.fixture
def endpoint(cast: Cast, model_server: ModelServer) -> Endpoint:
    return endpoints.create_endpoint(
        actor=cast.actor("engineer"),
        project_id=cast.project.id,
        name="main",
        protocol="openai_http",
        base_url=model_server.url,
        allow_private=True,
    )
