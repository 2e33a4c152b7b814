"""What stands beside the text in the editor: preview, findings, tokens, cost; and the other side of a conflict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from promptstore.core.actors import Actor
from promptstore.core.errors import DomainError
from registry.drafting import Rendered, Report, lint_draft, preview_draft
from registry.drafts import read_spec
from registry.estimates import Cost, cost_of_call
from registry.forms.editor import EditorState
from registry.forms.json_text import json_problem
from registry.models import PromptDraft
from registry.rendering.diff import diff_texts
from registry.rendering.json_lines import json_lines
from registry.selectors.models import latest_entries

MAX_COSTS = 6


@dataclass(frozen=True)
class ModelCost:
    """A call's cost with one model entry."""

    label: str
    cost: Cost


@dataclass(frozen=True)
class Place:
    """A finding with where to jump: `target` is the id of a box; line and column count from 1 inside it."""

    severity: str
    message: str
    hint: str
    code: str
    where: str
    target: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Panes:
    """`problem` says why there is nothing to check; `preview_problem` why nothing could be rendered."""

    problem: str = ""
    findings: Sequence[Place] = ()
    publishable: bool = False
    template_tokens: int | None = None
    rendered: Rendered | None = None
    preview_problem: str = ""
    costs: Sequence[ModelCost] = field(default_factory=tuple)


@dataclass(frozen=True)
class Conflict:
    """What somebody else saved in the meantime, compared with what is in the boxes."""

    revision: int
    saved_by: str
    saved_at: datetime
    parts: Sequence[tuple[str, list[tuple[str, str]]]]


def panes_of(actor: Actor, draft: PromptDraft, state: EditorState) -> Panes:
    """Check and render what is in the boxes, saved or not."""
    state, body, examples = state.read()
    if any(not name.startswith("example_inputs") for name in state.errors):
        return Panes(problem="There is a box whose text is not JSON. Findings come back when it is.")
    try:
        readable = examples if not state.errors else []
        report = lint_draft(actor=actor, project_id=draft.project_id, body=body, example_inputs=readable)
    except DomainError as error:
        return Panes(problem=error.detail)
    rendered, problem = _preview(actor, draft.project_id, body, state)
    return Panes(
        findings=places_of(report),
        publishable=report.publishable,
        template_tokens=report.template_tokens,
        rendered=rendered,
        preview_problem=problem,
        costs=model_costs(draft.project_id, body, rendered.tokens if rendered else report.template_tokens),
    )


def model_costs(project_id: UUID, body: object, input_tokens: int) -> list[ModelCost]:
    """What a call would cost with each of the project's models."""
    spec = read_spec(body)
    found: list[ModelCost] = []
    for entry in latest_entries(project_id=project_id)[:MAX_COSTS]:
        cost = cost_of_call(
            spec,
            input_tokens=input_tokens,
            price=entry.price,
            provider=entry.provider,
            model_id=entry.provider_model_id,
        )
        if cost is not None:
            found.append(ModelCost(str(entry), cost))
    return found


def conflict_of(draft: PromptDraft, state: EditorState) -> Conflict:
    """Theirs against ours, message by message and part by part, only what differs."""
    theirs = EditorState.of_draft(draft)
    count = max(len(theirs.messages), len(state.messages))
    pairs = [(f"Message {at + 1}", _text(theirs, at), _text(state, at)) for at in range(count)]
    pairs += [
        (name.replace("_", " ").capitalize(), _ordered(text), _ordered(state.parts[name]))
        for name, text in theirs.parts.items()
    ]
    return Conflict(
        revision=draft.revision,
        saved_by=str(draft.updated_by or "Somebody"),
        saved_at=draft.updated_at,
        parts=[
            (label, [(segment.kind.value, segment.text) for segment in diff_texts(old, new)])
            for label, old, new in pairs
            if old.strip() != new.strip()
        ],
    )


def _ordered(text: str) -> str:
    """JSON one value a line with sorted keys, so that only content differs; other text as it is."""
    value, problem = json_problem(text) if text.strip() else (None, "")
    return text if problem or value is None else json_lines(value)


def _text(state: EditorState, index: int) -> str:
    if index >= len(state.messages):
        return ""
    return f"{state.messages[index].role}\n{state.messages[index].content}"


def _preview(actor: Actor, project_id: UUID, body: Any, state: EditorState) -> tuple[Rendered | None, str]:
    if state.examples:
        example = state.examples[min(state.shown, len(state.examples) - 1)]
        variables, problem = json_problem(example.variables.strip() or "{}")
        if problem:
            return None, f"{example.name}: {problem}"
    else:
        variables = {}
    try:
        return preview_draft(actor=actor, project_id=project_id, body=body, variables=variables), ""
    except DomainError as error:
        where = ""
        if "line" in error.extra:
            where = f"Message {error.extra['message_index'] + 1}, line {error.extra['line']}: "
        return None, f"{where}{error.detail}"


def places_of(report: Report) -> list[Place]:
    """The findings, worst first, each with the box it is about."""
    rank = {"error": 0, "warning": 1, "info": 2}
    found = []
    for item in sorted(report.findings, key=lambda finding: rank[finding.severity.value]):
        if item.message_index is not None:
            where, target = f"Message {item.message_index + 1}", f"message-{item.message_index}"
        else:
            root = (item.field or "").replace("[", ".").partition(".")[0]
            where, target = item.field or "", f"id_{root}" if root else ""
        found.append(
            Place(
                severity=item.severity.value,
                message=item.message,
                hint=item.hint,
                code=item.rule_id,
                where=where,
                target=target,
                line=item.line,
                column=item.column,
            )
        )
    return found
