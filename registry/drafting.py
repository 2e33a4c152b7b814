"""What the editor and the API show about a draft without storing anything: findings, preview, proposal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import require
from registry.checks import blocking, check_draft
from registry.drafts import read_examples, read_spec
from registry.estimates import template_tokens
from registry.models import Prompt
from registry.proposals import Proposal, propose
from registry.rendering.findings import Finding
from registry.rendering.preview import preview
from registry.rendering.tokens import count_message_tokens
from registry.selectors.lint_policies import lint_config
from registry.selectors.prompts import latest_version


@dataclass(frozen=True)
class Report:
    """The linter's findings, whether they allow publishing, and the tokens of the templates."""

    findings: tuple[Finding, ...]
    publishable: bool
    template_tokens: int


@dataclass(frozen=True)
class Rendered:
    """The messages of a draft with example variables, and their tokens in `encoding`."""

    messages: tuple[dict[str, Any], ...]
    tokens: int
    encoding: str


def lint_draft(*, actor: Actor, project_id: UUID, body: object, example_inputs: object) -> Report:
    """Check a draft's text, saved or not. Raises `InvalidInput` where it is no prompt document at all."""
    require(actor, "project.read", project_id=project_id)
    spec = read_spec(body)
    findings = check_draft(spec, read_examples(example_inputs), lint_config(project_id))
    return Report(tuple(findings), not blocking(findings), template_tokens(spec))


def preview_draft(*, actor: Actor, project_id: UUID, body: object, variables: object) -> Rendered:
    """Render a draft in a process that can be killed, so that it may hold anything.

    Raises `InvalidInput` with the renderer's code, and with `message_index`, `line` and `column` where they are known.
    """
    require(actor, "project.read", project_id=project_id)
    spec = read_spec(body)
    if not isinstance(variables, Mapping):
        raise InvalidInput("Variables are a JSON object.", field="variables")
    result = preview(spec, variables)
    if result.messages is None:
        error = result.error
        assert error is not None, "a preview has messages or an error"
        where = {"message_index": error.message_index, "line": error.line, "column": error.column}
        raise InvalidInput(
            error.message,
            code=error.code,
            field=error.field
            or ("variables" if error.message_index is None else f"messages[{error.message_index}].content"),
            status=422,
            extra={key: value for key, value in where.items() if value is not None},
        )
    counted = count_message_tokens(result.messages)
    return Rendered(result.messages, counted.tokens, counted.encoding)


def propose_version(*, actor: Actor, prompt: Prompt, body: object) -> Proposal:
    """What publishing this text now would be called, and why."""
    require(actor, "project.read", project_id=prompt.project_id)
    latest = latest_version(prompt=prompt)
    return propose(read_spec(body), latest=(latest.version, read_spec(latest.body)) if latest else None)
