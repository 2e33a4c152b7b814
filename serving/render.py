"""From a decision and variables to the messages that go to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from promptstore.core.errors import DomainError, InvalidInput
from registry.rendering import schemas
from registry.rendering.errors import RenderError, SpecError
from serving.documents import Prompt, Release

MAX_INPUT_BYTES = 1_000_000
_UNAVAILABLE = "This feature is not available right now. Please try again later."


class InvalidVariablesError(DomainError):
    """Variables that the prompt's input schema does not take."""

    code = "invalid_variables"
    status = 422
    title = "The variables do not fit the prompt"


class InputTooLargeError(DomainError):
    """More input than the serving config allows."""

    code = "input_too_large"
    status = 413
    title = "The rendered prompt is too large"


class ReleaseUnusableError(DomainError):
    """Something in the release cannot be used by this node; nothing the caller sent is at fault."""

    code = "release_unusable"
    status = 503
    title = "The active release cannot be used"


def check_variables(prompt: Prompt, variables: object, *, field: str) -> dict[str, Any]:
    """The variables, if the input schema takes them; raises `InvalidVariablesError` naming each one at fault.

    A name the schema does not declare is refused unless the schema says that it takes further ones: a typo in
    an optional variable must not go by unnoticed.
    """
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        raise InvalidInput("Variables are a JSON object.", field=field)
    problems = [
        *(
            schemas.Problem(name[:80], "This prompt has no such variable.")
            for name in _undeclared(prompt, variables)
        ),
        *prompt.input_check.problems(variables),
    ]
    if problems:
        errors = {
            problem.path: {"field": f"{field}.{problem.path}".rstrip("."), "detail": problem.message}
            for problem in reversed(problems)
        }
        first = problems[0]
        unknown = first.message == "This prompt has no such variable."
        raise InvalidVariablesError(
            f"{first.path or field}: {first.message}",
            code="unknown_variable" if unknown else None,
            field=f"{field}.{first.path}".rstrip("."),
            errors=list(reversed(errors.values())),
        )
    return variables


def _undeclared(prompt: Prompt, variables: Mapping[str, Any]) -> list[str]:
    declared = prompt.declared_variables
    return [] if declared is None else sorted(variables.keys() - declared)


def render_messages(
    release: Release, variables: Mapping[str, Any], history: Sequence[Mapping[str, Any]] = (), *, field: str
) -> list[dict[str, Any]]:
    """The messages of the release's primary prompt; `history` takes its place among them.

    Raises `InvalidVariablesError`, `InputTooLargeError`, or `ReleaseUnusableError` when the prompt itself is
    at fault.
    """
    try:
        messages = release.prompt.compiled.render(variables, history)
    except SpecError as error:
        raise ReleaseUnusableError(f"Prompt {release.prompt.label}: {error}") from error
    except RenderError as error:
        if error.code == "not_in_subset":
            raise ReleaseUnusableError(f"Prompt {release.prompt.label}: {error.message}") from error
        raise InvalidVariablesError(error.message, code=error.code, field=error.field or field) from error
    limit = release.config.limit("max_input_bytes", MAX_INPUT_BYTES)
    size = len(orjson.dumps(messages))
    if size > limit:
        raise InputTooLargeError(
            f"The messages have {size} bytes; the serving config allows {limit}.", field=field
        )
    return messages


def safe_answer(release: Release, variables: Mapping[str, Any]) -> str:
    """The deterministic answer of the release's safe mode.

    Safe mode must always answer: where its template is missing or does not fit the variables, a fixed
    sentence does.
    """
    try:
        template = release.config.safe_template
        if template is None:
            return _UNAVAILABLE
        return str(template.render(variables)[0]["content"])
    except (RenderError, SpecError):
        return _UNAVAILABLE
