"""What a gate is, and what it judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from evals.checks import Check


@dataclass(frozen=True, slots=True)
class GateSubject:
    """A release on its way into an environment. `release` is the release document of `registry.documents.resolve`."""

    project_id: UUID
    release_digest: str
    release: Mapping[str, Any]
    environment: str

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate found. The checks decide; `cases` are single trials, for people who want to see why."""

    checks: tuple[Check, ...]
    cases: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate by the name that policies use.

    `read_params` turns a policy's parameters into the full set with defaults, and raises `InvalidInput` naming the
    one at fault; `judge` takes what it returned.
    """

    name: str
    title: str
    judge: Callable[[GateSubject, Mapping[str, Any]], Judgement]
    read_params: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(kw_only=True)
