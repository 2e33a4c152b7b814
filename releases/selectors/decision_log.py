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


_Words = Callable[[int, int], str]
"""What was done, from the weights before and after in basis points. Going up, only a shadow step has none."""


def _at(weight_bp: int) -> str:
    return f"at {weight(weight_bp)}" if weight_bp else "in shadow"


def _raised(was: int, to: int) -> str:
    if not to:
        return "Went on in shadow."
    if not was:
        return f"From shadow to users: {weight(to)} of them."
    return f"Raised the weight from {weight(was)} to {weight(to)}."


def _cut(was: int, _: int) -> str:
    return f"Took all traffic away at once (was {weight(was)})." if was else "Ended in shadow."


_KINDS: dict[str, tuple[str, str, _Words]] = {
    "start": ("rocket", "accent", lambda _, to: f"Started {_at(to)}."),
    "advance": ("arrow-up", "accent", _raised),
    "stop_mirroring": ("minus-circle", "wait", lambda _, __: "Stopped copying calls to the candidate."),
    "complete": ("circle-check", "good", lambda _, __: "Completed: the candidate is the stable release now."),
    "pause": ("pause", "wait", lambda was, _: f"Paused {_at(was)}."),
    "resume": ("play", "accent", lambda _, to: f"Resumed {_at(to)}."),
    "roll_back": ("undo", "harm", lambda was, to: f"Began to roll back: from {weight(was)} to {weight(to)}."),
    "step_down": ("arrow-down", "harm", lambda was, to: f"Stepped down from {weight(was)} to {weight(to)}."),
    "cut": ("bolt", "harm", _cut),
    "finish_rollback": ("rollback", "harm", lambda _, __: "The rollback is complete: 0 %."),
    "abort": ("ban", "harm", lambda was, _: f"Called off {_at(was)}."),
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
                text=words(one.from_weight_bp, one.to_weight_bp),
                reasons=tuple(one.sentences),
                icon=icon,
                tone=tone,
            )
        )
    return entries
