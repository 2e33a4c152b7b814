"""The questions of a probe: immutable, and identified by a digest. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from evals.probes.readings import Reading
from promptstore.core.digests import digest_json


@dataclass(frozen=True, slots=True)
class ProbeCase:
    """One question. `topic` is what it looks at, `max_tokens` bounds the answer."""

    id: str
    topic: str
    prompt: str
    reading: Reading
    system: str = ""
    max_tokens: int = 48

    @property
    def messages(self) -> list[dict[str, str]]:
        """In OpenAI's shape."""
        before = [{"role": "system", "content": self.system}] if self.system else []
        return [*before, {"role": "user", "content": self.prompt}]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "reading": self.reading.value}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote; further members are ignored."""
        return cls(
            id=stored["id"],
            topic=stored["topic"],
            prompt=stored["prompt"],
            reading=Reading(stored["reading"]),
            system=stored["system"],
            max_tokens=stored["max_tokens"],
        )


@dataclass(frozen=True, slots=True)
class ProbeSet:
    """A named, numbered set of cases. A change makes a new version, and a new digest."""

    name: str
    version: int
    cases: Sequence[ProbeCase]

    @property
    def digest(self) -> str:
        """`sha256:` over name, version and every case."""
        body = {"name": self.name, "version": self.version, "cases": [case.to_dict() for case in self.cases]}
        return digest_json(body)
