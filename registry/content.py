"""What an artifact's digest covers. Pure.

A digest is over `{"kind", "name", "version", "body"}` in canonical JSON, so equal text under another name or version is
another artifact, and content that was altered in the database no longer verifies.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from promptstore.core.digests import digest_json
from registry.numbers import check_numbers


class Kind(StrEnum):
    """The artifacts that a release pins."""

    PROMPT = "prompt"
    MODEL = "model"
    CONFIG = "config"
    DATASET = "dataset"


def artifact_digest(*, kind: Kind, name: str, version: str, body: Mapping[str, Any]) -> str:
    """`sha256:…` of one immutable version. Raises `InvalidInput` (`not_canonical`) for values without a canonical form."""
    check_numbers(body)
    return digest_json({"kind": kind.value, "name": name, "version": version, "body": dict(body)})
