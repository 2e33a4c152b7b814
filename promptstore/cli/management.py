"""The management API from a terminal: one request, one JSON answer, refusals as `CommandError`."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from promptstore.cli.exits import CommandError, Exit, unreachable, usage

DEFAULT_URL = "http://127.0.0.1:8000"
_TIMEOUT_S = 30.0
_MAX_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """A 2xx answer: its JSON body and, where there is one, its ETag."""

    body: Any
    etag: str = ""


@dataclass(frozen=True)
class Management:
    """Talks to one project on one server. Proxy settings are not used; redirects are not followed."""

    url: str
    project: str
    token: str = field(repr=False)

    def get(self, path: str, **query: str) -> Answer:
        """GET below the project; empty query values are left out."""
        given = {name: value for name, value in query.items() if value}
        return self._request("GET", path + (f"?{urlencode(given)}" if given else ""))

    def every(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(path, cursor=cursor).body
            found += page["results"]
            if not page["next"]:
                return found
            cursor = parse_qs(urlsplit(page["next"]).query)["cursor"][0]

    def download(self, path: str, *, max_bytes: int, **query: str) -> bytes:
        """GET a file. Of one that is larger, a byte more than `max_bytes` is read, so that the caller sees it."""
        given = {name: value for name, value in query.items() if value}
        return self._bytes("GET", path + (f"?{urlencode(given)}" if given else ""), max_bytes=max_bytes)[0]

    def post(self, path: str, body: Mapping[str, Any], *, if_match: str = "") -> Answer:
        return self._request("POST", path, body=body, if_match=if_match)

    def put(self, path: str, body: Mapping[str, Any], *, if_match: str) -> Answer:
        return self._request("PUT", path, body=body, if_match=if_match)

    def _request(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, if_match: str = ""
    ) -> Answer:
        data, etag = self._bytes(method, path, body=body, if_match=if_match, accept="application/json")
        return Answer(_json(data), etag)

    def _bytes(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        if_match: str = "",
        accept: str = "*/*",
        max_bytes: int = _MAX_ANSWER_BYTES,
    ) -> tuple[bytes, str]:
        """The body of a 2xx answer, of which at most one byte more than `max_bytes` is read, and its ETag."""
        headers = {"Accept": accept, "Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if if_match:
            headers["If-Match"] = if_match
        connection = _connection(self.url)
        prefix = f"{urlsplit(self.url).path.rstrip('/')}/api/v1/projects/{segment(self.project)}/"
        try:
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, prefix + path, body=payload, headers=headers)
            response = connection.getresponse()
            data = response.read(max_bytes + 1)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise unreachable(
                f"{self.url} does not answer ({reason}). Set PROMPTSTORE_URL to the console."
            ) from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise _refusal(response.status, _json(data), url=self.url)
        return data, response.headers.get("ETag", "")


def management(*, project: str, token_file: Path | None) -> Management:
    """From `PROMPTSTORE_URL` and `PROMPTSTORE_TOKEN` or a file. Raises `CommandError` for what is missing."""
    url = os.environ.get("PROMPTSTORE_URL") or DEFAULT_URL
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise usage("Write http://host:port or https://host.", field="PROMPTSTORE_URL")
    return Management(url=url.rstrip("/"), project=project, token=_token(token_file))


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _token(file: Path | None) -> str:
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise usage(f"{file} cannot be read: {error}.", field="--token-file") from error
    else:
        token = os.environ.get("PROMPTSTORE_TOKEN", "").strip()
    if not token:
        raise usage(
            "Set PROMPTSTORE_TOKEN, or name a file with --token-file. `promptctl tokens create` makes a token.",
            field="PROMPTSTORE_TOKEN",
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise usage("The token holds characters that no token has.", field="PROMPTSTORE_TOKEN")
    return token


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


def _refusal(status: int, body: Any, *, url: str) -> CommandError:
    """401 and 403 are “not allowed”, 5xx “not reachable”; everything else is a refusal of what was asked."""
    problem = (
        dict(body)
        if isinstance(body, dict) and "code" in body
        else {
            "code": f"http_{status}",
            "detail": f"{url} answered with HTTP {status} and no problem document.",
        }
    )
    problem.setdefault("status", status)
    denied = status in {401, 403} or status >= 500
    return CommandError(Exit.UNREACHABLE if denied else Exit.FINDINGS, problem)
