"""An opened bundle: members by name, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from promptstore.cli.bundles.reading import INDEX, parse, parse_lines


@dataclass
class Opened:
    """What the archive holds. Reading a member raises `KeyError` where it is missing, `ValueError` where it is no JSON."""

    members: dict[str, bytes]
    _read: dict[str, Any] = field(default_factory=dict)

    def json(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = parse(self.members[name])
        return self._read[name]

    def lines(self, name: str) -> list[Any]:
        if name not in self._read:
            self._read[name] = parse_lines(self.members[name])
        found: list[Any] = self._read[name]
        return found

    def each(self, folder: str) -> Iterator[tuple[str, Any]]:
        """`(name, value)` of every member below a folder."""
        for name in self.members:
            if name.startswith(f"{folder}/"):
                yield name, self.json(name)

    @property
    def release_digest(self) -> str:
        """As the index names it; the seal covers the index."""
        return str(self.json(INDEX)["release"]["digest"])

    @property
    def unseen_events(self) -> float:
        """How many audit events about the release are not there with their text: so many may be missed without a fault."""
        if any(one["what"] == "audit events" for one in self.json(INDEX)["left_out"]):
            return inf
        return sum("event" not in line for line in self.lines("audit/events.jsonl"))

    def events(self, kind: str, object_id: str) -> list[dict[str, Any]]:
        """The audit events about one object, in their order."""
        found = [line["event"] for line in self.lines("audit/events.jsonl") if "event" in line]
        return [one for one in found if one["object"]["type"] == kind and one["object"]["id"] == object_id]
