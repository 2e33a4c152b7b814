"""Cases of a dataset, and the digests that freeze them. Pure.

A frozen version must stay verifiable when one of its cases has to be erased. So its digest does not cover the cases themselves but
a commitment to each: SHA-256 over a secret random salt and the case in canonical JSON (RFC 8785). With case and salt gone the
commitment says nothing about what was there — without a salt a short text could be guessed — and the digest still adds up.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from promptstore.core.digests import canonical_json
from promptstore.core.errors import InvalidInput
from registry.content import Kind, artifact_digest
from registry.names import NAME, check_text
from registry.rendering.json_values import format_path
from registry.shapes import check_shape, document, text

MAX_CASES: Final = 5_000
MAX_CASE_BYTES: Final = 64 * 1024
MAX_TAGS: Final = 20
MAX_PASSAGES: Final = 50
MAX_NOTE_CHARS: Final = 2_000
SALT_BYTES: Final = 16
DANGER: Final = "danger"

SCHEMA: Final = document(
    {
        "variables": {"type": "object", "description": "a JSON object of variables"},
        "expected": {"description": "the right answer as JSON, or null"},
        "context": {
            "type": "array",
            "maxItems": MAX_PASSAGES,
            "items": text("a passage that the answer must be grounded in", max_chars=20_000),
            "description": "a list of at most 50 passages",
        },
        "tags": {
            "type": "array",
            "maxItems": MAX_TAGS,
            "uniqueItems": True,
            "items": text("a short word", max_chars=40),
            "description": "a list of at most 20 different words",
        },
        "note": {"type": "string", "maxLength": MAX_NOTE_CHARS, "description": "a text for people"},
    },
    required=("variables",),
)


@dataclass(frozen=True)
class CaseContent:
    """One question with its right answer.

    `variables` fill the prompt; `expected` is the right answer (`None` where only people or scorers can tell); `context` holds the
    passages that an answer must be grounded in; `tags` group cases in reports; `note` says why the case is here.
    """

    variables: Mapping[str, Any]
    expected: Any = None
    context: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def from_dict(cls, value: object, *, place: str = "content") -> CaseContent:
        """Raises `InvalidInput` naming the member at fault, such as `content.context[2]`."""
        check_shape(value, SCHEMA, field=place)
        assert isinstance(value, Mapping)
        content = cls(
            variables=dict(value["variables"]),
            expected=value.get("expected"),
            context=tuple(value.get("context", ())),
            tags=tuple(value.get("tags", ())),
            note=check_text(
                value.get("note", ""), field=format_path((place, "note")), max_chars=MAX_NOTE_CHARS
            ),
        )
        size = len(canonical_json(content.to_dict()))
        if size > MAX_CASE_BYTES:
            raise InvalidInput(
                f"This case has {size:,} bytes; at most {MAX_CASE_BYTES:,} are allowed.",
                code="too_long",
                field=place,
            )
        return content

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> CaseContent:
        """What `to_dict` gave once and was stored since; checked then, not again."""
        return cls(
            variables=value["variables"],
            expected=value["expected"],
            context=tuple(value["context"]),
            tags=tuple(value["tags"]),
            note=value["note"],
        )

    @property
    def asks(self) -> list[tuple[str, str]]:
        """The variables by name, as text to read."""
        return [(name, in_words(value)) for name, value in self.variables.items()]

    @property
    def answer(self) -> str:
        """The right answer as text to read; empty for none."""
        return "" if self.expected is None else in_words(self.expected)

    def to_dict(self) -> dict[str, Any]:
        """The case as JSON, every member present: what is stored and what a commitment covers."""
        return {
            "variables": dict(self.variables),
            "expected": self.expected,
            "context": list(self.context),
            "tags": list(self.tags),
            "note": self.note,
        }


class SourceKind(StrEnum):
    """How a case came here."""

    MANUAL = "manual"
    IMPORT = "import"
    INFERENCE = "inference"
    REVIEW = "review"


@dataclass(frozen=True)
class CaseSource:
    """Where a case comes from: `ref` is the id of the inference or review, empty for cases that people wrote or imported."""

    kind: SourceKind = SourceKind.MANUAL
    ref: str = ""


@dataclass(frozen=True)
class NewCase:
    """A case to add. An empty `key` gets a random one; `feature` is the slug of the feature that is asked, or None for any."""

    content: CaseContent
    key: str = ""
    feature: str | None = None


def in_words(value: object) -> str:
    """A JSON value in one line; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def new_key(source: CaseSource) -> str:
    """A key that says nothing about the content, so that it may stay when the content is erased."""
    if source.ref and NAME.fullmatch(found := f"{source.kind}-{source.ref.lower()}"):
        return found
    return f"case-{secrets.token_hex(6)}"


def new_salt() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(SALT_BYTES)


def commitment(content: CaseContent, salt: str) -> str:
    """`sha256:` and SHA-256 over the salt's bytes followed by the case in canonical JSON. `salt` is hex."""
    return commitment_of(content.to_dict(), salt)


def commitment_of(document: Mapping[str, Any], salt: str) -> str:
    """As `commitment`, for a stored case as it is."""
    found = hashlib.sha256(bytes.fromhex(salt) + canonical_json(dict(document)))
    return f"sha256:{found.hexdigest()}"


def version_digest(name: str, version: str, cases: Iterable[tuple[str, str]]) -> str:
    """The digest of a frozen version: over its name, its number, and `(key, commitment)` of its cases in their order."""
    listed = [{"key": key, "commitment": committed} for key, committed in cases]
    return artifact_digest(kind=Kind.DATASET, name=name, version=version, body={"cases": listed})
