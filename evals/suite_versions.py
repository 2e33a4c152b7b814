"""What names one suite for ever: `name@version`, and the digest over it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.core.digests import digest_json
from registry.errors import MutableName
from registry.names import check_name
from registry.versioning import read_version


@dataclass(frozen=True, slots=True)
class SuiteRef:
    """One published version of a suite."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def read_suite_ref(text: str, *, field: str) -> SuiteRef:
    """`name@version`; raises `MutableName` where no version is pinned, and `InvalidInput` for what cannot be one."""
    name, at, version = text.partition("@")
    if not at:
        raise MutableName(
            "Pin the suite's version too, such as support@1.2.0: what a name means can change.", field=field
        )
    return SuiteRef(check_name(name, field=field), str(read_version(version, field=field)))


def suite_digest(name: str, version: str, body: Mapping[str, Any]) -> str:
    """`sha256:` over kind, name, version and content."""
    return digest_json({"kind": "suite", "name": name, "version": version, "body": dict(body)})
