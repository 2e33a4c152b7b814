"""Differences as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.comparisons import compare
from registry.drafts import read_spec
from registry.estimates import token_counts
from registry.models import PromptDraft, PromptVersion
from registry.rendering.diff import Segment
from registry.rendering.versions import BumpReason
from registry.views.editor_panes import model_costs

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class ChangedPart:
    """One part that differs, as segments for the diff component."""

    label: str
    segments: Pairs


@dataclass(frozen=True)
class Changes:
    """What differs between two bodies; empty `parts` means nothing does."""

    parts: Sequence[ChangedPart]
    bump: str
    reasons: Sequence[BumpReason]


@dataclass(frozen=True)
class CostChange:
    """A call with one model: nano-dollars before (None for a first version) and after."""

    label: str
    before_nanos: int | None
    after_nanos: int
    exact: bool

    @property
    def delta_nanos(self) -> int | None:
        return None if self.before_nanos is None else self.after_nanos - self.before_nanos


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Word by word, only the parts that differ."""
    found = compare(old, new)
    parts = []
    for message in found.diff.messages:
        if message.changed:
            roles = " → ".join(dict.fromkeys(role for role in (message.old_role, message.new_role) if role))
            index = message.new_index if message.new_index is not None else message.old_index
            assert index is not None, "a message is on one side at least"
            parts.append(ChangedPart(f"Message {index + 1} · {roles}", _pairs(message.segments)))
    for label, segments in (
        ("Input schema", found.diff.input_schema),
        ("Answer schema", found.diff.output_schema),
        ("Tools", found.diff.tools),
        ("Parameters", found.diff.params),
    ):
        if any(segment.kind.value != "equal" for segment in segments):
            parts.append(ChangedPart(label, _pairs(segments)))
    return Changes(parts=parts, bump=found.bump.value, reasons=found.reasons)


def cost_changes(draft: PromptDraft, latest: PromptVersion | None) -> list[CostChange]:
    """What a typical call costs with each model, before and after. The draft is publishable."""
    after_tokens = token_counts(read_spec(draft.body), draft.example_inputs)["typical"]
    after = model_costs(draft.project_id, draft.body, after_tokens)
    before: dict[str, int] = {}
    if latest is not None:
        tokens = int(latest.token_counts.get("typical", 0))
        before = {
            item.label: item.cost.estimate.per_call_nanos
            for item in model_costs(latest.project_id, latest.body, tokens)
        }
    return [
        CostChange(
            item.label, before.get(item.label), item.cost.estimate.per_call_nanos, item.cost.estimate.exact
        )
        for item in after
    ]


def _pairs(segments: Sequence[Segment]) -> Pairs:
    return [(segment.kind.value, segment.text) for segment in segments]
