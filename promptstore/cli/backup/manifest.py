"""What a backup says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

FORMAT = 1


@dataclass(frozen=True)
class Member:
    """One file inside a backup; its size in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Heads:
    """Where a database stands: the head of its audit log, and per project and environment what is newest.

    All read in one snapshot of the database. `migrations` are `app.name`; `revoked_keys` are ids.
    """

    migrations: tuple[str, ...]
    audit_sequence: int
    audit_head: str
    audit_unsealed: int
    projects: tuple[Mapping[str, Any], ...]
    environments: tuple[Mapping[str, Any], ...]
    revoked_keys: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nobody has put anything into it yet; a migrated database may be empty."""
        return not self.projects and not self.audit_sequence and not self.audit_unsealed


@dataclass(frozen=True)
class Manifest:
    """Everything that is needed to judge a backup before it is restored. Moments are ISO 8601 in UTC."""

    id: str
    made_at: str
    product: str
    postgres_version: str
    postgres_major: int
    master_key: str
    with_keys: bool
    heads: Heads
    members: tuple[Member, ...]
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        known = {field.name for field in fields(cls)}
        heads: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in found["heads"].items()
        }
        members = tuple(Member(**member) for member in found["members"])
        rest = {name: value for name, value in found.items() if name in known - {"heads", "members"}}
        return cls(heads=Heads(**heads), members=members, **rest)
