"""A rollout's decisions in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from releases.models import RolloutDecision
from releases.rules.sentences import weight


@dataclass(frozen=True)
class LogEntry:
    """What was done, why, by whom; `icon` and `tone` are the console's."""

    number: int
    kind: str
    at: datetime
    actor: str
    text: str
    reasons: tuple[str, ...]
    icon: str
    tone: str


_Words = Callable[[str, str], str]
_KINDS: dict[str, tuple[str, str, _Words]] = {
    "start": ("rocket", "accent", lambda _, to: f"Started at {to}."),
    "advance": ("arrow-up", "accent", lambda was, to: f"Raised the weight from {was} to {to}."),
    "complete": ("circle-check", "good", lambda _, __: "Completed: the candidate is the stable release now."),
    "pause": ("pause", "wait", lambda was, _: f"Paused at {was}."),
    "resume": ("play", "accent", lambda _, to: f"Resumed at {to}."),
    "roll_back": ("undo", "harm", lambda was, to: f"Began to roll back: from {was} to {to}."),
    "step_down": ("arrow-down", "harm", lambda was, to: f"Stepped down from {was} to {to}."),
    "cut": ("bolt", "harm", lambda was, _: f"Took all traffic away at once (was {was})."),
    "finish_rollback": ("rollback", "harm", lambda _, __: "The rollback is complete: 0 %."),
    "abort": ("ban", "harm", lambda was, _: f"Called off at {was}."),
}


def decision_log(decisions: Iterable[RolloutDecision]) -> list[LogEntry]:
    """The decisions as entries of a timeline, in their order."""
    entries = []
    for one in decisions:
        icon, tone, words = _KINDS.get(one.kind, ("circle-dot", "neutral", lambda _, __: "Moved."))
        entries.append(
            LogEntry(
                number=one.number,
                kind=one.kind,
                at=one.at,
                actor=one.actor_name,
                text=words(weight(one.from_weight_bp), weight(one.to_weight_bp)),
                reasons=tuple(one.sentences),
                icon=icon,
                tone=tone,
            )
        )
    return entries
