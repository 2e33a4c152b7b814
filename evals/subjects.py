"""What is judged: a release, where it goes, and what is live there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class GateSubject:
    """A release on its way into an environment. `release` is the release document of `registry.documents.resolve`.

    `feature` is the slug of the feature that it is a release of; `baseline` is what is live there and judged beside it, if
    anything is.
    """

    project_id: UUID
    release_digest: str
    release: Mapping[str, Any]
    environment: str
    feature: str = ""
    baseline: Self | None = None

    @property
    def primary_prompt(self) -> Mapping[str, Any]:
        """The document of the prompt that users' calls are answered with."""
        prompt: Mapping[str, Any] = self.release["prompts"][self.release["primary"]]
        return prompt

    @property
    def primary_model(self) -> Mapping[str, Any]:
        """The document of the model in the role `primary`."""
        model: Mapping[str, Any] = self.release["models"]["primary"]
        return model

    @property
    def config(self) -> Mapping[str, Any]:
        """The serving config's body."""
        body: Mapping[str, Any] = self.release["config"]["body"]
        return body

    def limit(self, name: str, default: int) -> int:
        """A limit of the config; absent and null mean `default`."""
        value = (self.config.get("limits") or {}).get(name)
        return default if value is None else int(value)
