"""News as an e-mail: plain text, the same as simple HTML, and headers that nothing can be smuggled into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.template.loader import render_to_string

MAX_SUBJECT_CHARS: Final = 200
# C0 and C1 controls, line separators, and what turns the direction of text around.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail that is ready to go."""

    to: str = field(repr=False)
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


def compose(payload: Mapping[str, Any], *, to: str, message_id: str) -> Letter:
    """The letter of one kept message (`news.build`). Every attempt has the same `Message-ID`, so a repeat is recognised."""
    facts = {
        name: _one_line(value) if isinstance(value, str) else value for name, value in payload["data"].items()
    }
    context = {
        **facts,
        "at": f"{datetime.fromisoformat(payload['timestamp']):%Y-%m-%d %H:%M} UTC",
        "type": payload["type"],
    }
    settings_url = facts["settings_url"]
    host = urlsplit(settings_url).hostname or "promptstore"
    return Letter(
        to=to,
        subject=_one_line(f"[{facts['project']}] {facts['text']}".removesuffix("."))[:MAX_SUBJECT_CHARS],
        text=render_to_string("incidents/mail/news.txt", context),
        html=render_to_string("incidents/mail/news.html", context),
        headers={
            "Message-ID": f"<{message_id}@{host}>",
            # RFC 3834: nobody's holiday notice answers it. RFC 2369: where to stop it.
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{settings_url}>",
        },
    )


def _one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())
