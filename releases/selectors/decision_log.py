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
# Going up, only a shadow step has no weight.
_NONE = weight(0)


def _at(place: str) -> str:
    return "in shadow" if place == _NONE else f"at {place}"


def _raised(was: str, to: str) -> str:
    if to == _NONE:
        return "Went on in shadow."
    return (
        f"From shadow to users: {to} of them." if was == _NONE else f"Raised the weight from {was} to {to}."
    )


def _cut(was: str) -> str:
    return "Ended in shadow." if was == _NONE else f"Took all traffic away at once (was {was})."


_KINDS: dict[str, tuple[str, str, _Words]] = {
    "start": ("rocket", "accent", lambda _, to: "Started in shadow." if to == _NONE else f"Started at {to}."),
    "advance": ("arrow-up", "accent", _raised),
    "stop_mirroring": ("minus-circle", "wait", lambda _, __: "Stopped copying calls to the candidate."),
    "complete": ("circle-check", "good", lambda _, __: "Completed: the candidate is the stable release now."),
    "pause": ("pause", "wait", lambda was, _: f"Paused {_at(was)}."),
    "resume": ("play", "accent", lambda _, to: f"Resumed {_at(to)}."),
    "roll_back": ("undo", "harm", lambda was, to: f"Began to roll back: from {was} to {to}."),
    "step_down": ("arrow-down", "harm", lambda was, to: f"Stepped down from {was} to {to}."),
    "cut": ("bolt", "harm", lambda was, _: _cut(was)),
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
                text=words(weight(one.from_weight_bp), weight(one.to_weight_bp)),
                reasons=tuple(one.sentences),
                icon=icon,
                tone=tone,
            )
        )
    return entries
