"""Semantic versions of prompts and models, and which number a change deserves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import semver

from registry.rendering.json_values import compact_json
from registry.rendering.schemas import declared_variables
from registry.rendering.spec import PromptSpec

MAX_VERSION_CHARS: Final = 64
FIRST_VERSION: Final = "1.0.0"


class VersionError(ValueError):
    """The text is not a semantic version."""


class Bump(StrEnum):
    """Which part of the version a change raises. Ordered by `rank`."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """0 for patch, 1 for minor, 2 for major."""
        return ("patch", "minor", "major").index(self.value)


@dataclass(frozen=True, slots=True)
class BumpReason:
    """Why a change deserves at least `bump`, in words for its author."""

    bump: Bump
    message: str


def _parse(text: str) -> semver.Version:
    bare = text.strip().removeprefix("v")
    if len(bare) > MAX_VERSION_CHARS:
        raise VersionError(f"A version has at most {MAX_VERSION_CHARS} characters.")
    try:
        return semver.Version.parse(bare)
    except ValueError as error:
        raise VersionError(f"“{bare}” is not a semantic version; write it like 1.3.0.") from error


def parse_version(text: str) -> str:
    """The canonical form, without a `v`: `v1.3.0` becomes `1.3.0`. Raises `VersionError`."""
    return str(_parse(text))


def is_newer(candidate: str, current: str) -> bool:
    """Whether `candidate` comes after `current` in SemVer 2.0 order, which ignores build metadata."""
    return _parse(candidate) > _parse(current)


def next_version(current: str | None, bump: Bump) -> str:
    """The version after `current`; the first one is 1.0.0. A pre-release bumps to its release if that is
    enough."""
    if current is None:
        return FIRST_VERSION
    version = _parse(current)
    return str(version.next_version(part=bump.value))


def suggest_bump(old: PromptSpec, new: PromptSpec) -> tuple[Bump, tuple[BumpReason, ...]]:
    """What a change of a prompt means for those who call it.

    Major: calls or readers that worked may break (a variable is gone, newly required, or of another type;
    the answer's schema changed). Minor: something new that nobody has to use. Patch: wording and
    parameters. Equal prompts give patch with no reasons.
    """
    reasons = [*_variable_reasons(old, new), *_contract_reasons(old, new), *_wording_reasons(old, new)]
    reasons.sort(key=lambda reason: -reason.bump.rank)
    return (reasons[0].bump if reasons else Bump.PATCH), tuple(reasons)


def _variable_reasons(old: PromptSpec, new: PromptSpec) -> list[BumpReason]:
    before, after = declared_variables(old.input_schema), declared_variables(new.input_schema)
    reasons = [
        BumpReason(Bump.MAJOR, f"The variable {name} is gone.") for name in before if name not in after
    ]
    for name, variable in after.items():
        if name not in before:
            if variable.required:
                reasons.append(BumpReason(Bump.MAJOR, f"The new variable {name} is required."))
            else:
                reasons.append(BumpReason(Bump.MINOR, f"The variable {name} is new and optional."))
            continue
        if variable.required and not before[name].required:
            reasons.append(BumpReason(Bump.MAJOR, f"The variable {name} is required now."))
        elif before[name].required and not variable.required:
            reasons.append(BumpReason(Bump.MINOR, f"The variable {name} is optional now."))
        if _constraints(variable.schema) != _constraints(before[name].schema):
            reasons.append(BumpReason(Bump.MAJOR, f"The variable {name} accepts other values."))
    if not any(reason.bump is Bump.MAJOR for reason in reasons) and _rest(old) != _rest(new):
        reasons.append(BumpReason(Bump.MAJOR, "The input schema has other rules."))
    return reasons


_ANNOTATIONS: Final = frozenset(
    {"title", "description", "examples", "default", "deprecated", "$comment", "x-trusted"}
)


def _constraints(schema: Any, *, named: bool = False) -> str:
    """A schema without what only describes, as text to compare."""
    return compact_json(_stripped(schema, named=named))


def _stripped(schema: Any, *, named: bool) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: _stripped(value, named=key in {"properties", "$defs", "patternProperties"} and not named)
            for key, value in schema.items()
            if named or key not in _ANNOTATIONS
        }
    return [_stripped(item, named=False) for item in schema] if isinstance(schema, list) else schema


def _rest(spec: PromptSpec) -> str:
    """The rules of an input schema beside its variables."""
    skipped = {"properties", "required"}
    return _constraints({key: value for key, value in spec.input_schema.items() if key not in skipped})


def _contract_reasons(old: PromptSpec, new: PromptSpec) -> list[BumpReason]:
    reasons: list[BumpReason] = []
    if old.output_schema is None and new.output_schema is not None:
        reasons.append(BumpReason(Bump.MAJOR, "The answer has a schema now."))
    elif old.output_schema is not None and new.output_schema is None:
        reasons.append(BumpReason(Bump.MAJOR, "The answer no longer has a schema."))
    elif _constraints(old.output_schema) != _constraints(new.output_schema):
        reasons.append(BumpReason(Bump.MAJOR, "The answer's schema changed."))
    if old.params.response_format is not new.params.response_format:
        reasons.append(BumpReason(Bump.MAJOR, "The answer's format changed."))
    if compact_json(list(old.tools)) != compact_json(list(new.tools)):
        reasons.append(BumpReason(Bump.MINOR, "The tools changed."))
    return reasons


def _wording_reasons(old: PromptSpec, new: PromptSpec) -> list[BumpReason]:
    reasons: list[BumpReason] = []
    if old.messages != new.messages:
        reasons.append(BumpReason(Bump.PATCH, "The wording changed."))
    if old.params != new.params:
        reasons.append(BumpReason(Bump.PATCH, "The parameters changed."))
    same_rules = _constraints(old.input_schema) == _constraints(new.input_schema)
    if same_rules and compact_json(old.input_schema) != compact_json(new.input_schema):
        reasons.append(BumpReason(Bump.PATCH, "The description of the variables changed."))
    return reasons
