"""How every state of the product looks: words, icon, tone. A status is never colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """What a colour means. Red only for harm, amber for waiting on someone, green sparingly."""

    NEUTRAL = "neutral"
    ACCENT = "accent"
    GOOD = "good"
    WAIT = "wait"
    HARM = "harm"


@dataclass(frozen=True)
class Look:
    """Words, icon name and tone of one state."""

    label: str
    icon: str
    tone: Tone


_N, _A, _G, _W, _H = Tone

LOOKS: dict[str, dict[str, Look]] = {
    "promotion": {
        "drafted": Look("Draft", "edit", _N),
        "checking": Look("Checking", "loader", _A),
        "awaiting_approval": Look("Waiting for approval", "hourglass", _W),
        "approved": Look("Approved", "circle-check", _G),
        "rolling_out": Look("Rolling out", "rollout", _A),
        "live": Look("Live", "circle-check", _G),
        "blocked": Look("Blocked by a gate", "shield-x", _H),
        "rejected": Look("Rejected", "circle-x", _H),
        "expired": Look("Expired", "clock", _N),
        "superseded": Look("Superseded", "archive", _N),
        "cancelled": Look("Cancelled", "ban", _N),
        "rolled_back": Look("Rolled back", "rollback", _H),
    },
    "rollout": {
        "pending": Look("Starting", "clock", _N),
        "running": Look("Running", "rollout", _A),
        "paused": Look("Paused", "pause", _W),
        "completed": Look("Completed", "circle-check", _G),
        "rolling_back": Look("Rolling back", "undo", _H),
        "rolled_back": Look("Rolled back", "rollback", _H),
        "aborted": Look("Aborted", "ban", _H),
    },
    "step": {
        "done": Look("Done", "check", _G),
        "current": Look("Now", "circle-dot", _A),
        "next": Look("Next", "circle", _N),
        "held": Look("Held", "pause", _W),
        "failed": Look("Failed", "x", _H),
    },
    "incident": {
        "open": Look("Open", "incident", _H),
        "acknowledged": Look("Acknowledged", "eye", _W),
        "mitigated": Look("Mitigated", "shield", _A),
        "resolved": Look("Resolved", "circle-check", _G),
    },
    "severity": {
        "p1": Look("P1", "flame", _H),
        "p2": Look("P2", "alert", _H),
        "p3": Look("P3", "alert", _W),
        "p4": Look("P4", "info", _N),
    },
    "review": {
        "queued": Look("Waiting", "inbox", _W),
        "leased": Look("In review", "eye", _A),
        "labelled": Look("Labelled", "tag", _A),
        "settled": Look("Settled", "circle-check", _G),
        "skipped": Look("Skipped", "skip", _N),
        "escalated": Look("Escalated", "arrow-up", _W),
        "withdrawn": Look("Withdrawn", "archive", _N),
    },
    "verdict": {
        "pass": Look("Within limit", "check", _G),
        "fail": Look("Breached", "x", _H),
        "inconclusive": Look("Not enough data", "scale", _N),
        "no_data": Look("No data", "circle-dashed", _W),
        "error": Look("Could not measure", "alert", _H),
    },
    "gate": {
        "pending": Look("Waiting", "clock", _N),
        "running": Look("Running", "loader", _A),
        "pass": Look("Passed", "circle-check", _G),
        "passed": Look("Passed", "circle-check", _G),
        "fail": Look("Failed", "circle-x", _H),
        "failed": Look("Failed", "circle-x", _H),
        "inconclusive": Look("Inconclusive", "scale", _W),
        "no_data": Look("No data", "circle-dashed", _W),
        "error": Look("Could not run", "alert", _H),
        "skipped": Look("Not required", "skip", _N),
    },
    "probe": {
        "baseline": Look("Baseline", "circle-dot", _N),
        "steady": Look("Steady", "circle-check", _G),
        "drifted": Look("Drifted", "incident", _H),
        "inconclusive": Look("Too close to call", "scale", _W),
        "unreadable": Look("Could not be read", "circle-dashed", _W),
    },
    "delivery": {
        "pending": Look("On its way", "clock", _A),
        "delivered": Look("Delivered", "circle-check", _G),
        "failed": Look("Given up", "circle-x", _H),
    },
    "key": {
        "current": Look("Current", "circle-check", _N),
        "expired": Look("Expired", "clock", _W),
        "revoked": Look("Revoked", "ban", _N),
    },
    "finding": {
        "error": Look("Error", "circle-x", _H),
        "warning": Look("Warning", "incident", _W),
        "info": Look("Note", "info", _N),
    },
    "arm": {
        "candidate": Look("Candidate", "rocket", _A),
        "stable": Look("Stable", "shield", _N),
        "shadow": Look("Shadow", "ghost", _N),
        "safe_mode": Look("Safe mode", "shield-check", _W),
    },
    "version": {
        "draft": Look("Draft", "edit", _N),
        "published": Look("Published", "lock", _G),
        "withdrawn": Look("Withdrawn", "ban", _H),
    },
    "site": {
        "governed": Look("Governed", "shield-check", _G),
        "ungoverned": Look("Not governed", "alert", _W),
        "ignored": Look("Ignored", "eye-off", _N),
    },
    "approval": {
        "approved": Look("Approved", "user-check", _G),
        "rejected": Look("Rejected", "circle-x", _H),
        "dismissed": Look("No longer counts", "minus-circle", _N),
        "waiting": Look("Waiting", "user-question", _W),
    },
    "health": {
        "healthy": Look("Healthy", "circle-check", _G),
        "degraded": Look("Degraded", "incident", _W),
        "stale": Look("Stale", "clock", _W),
        "down": Look("Down", "circle-x", _H),
        "unknown": Look("Unknown", "help", _N),
    },
    "environment": {
        "staging": Look("Staging", "test", _N),
        "production": Look("Production", "world", _A),
    },
}


def look(kind: str, value: str) -> Look:
    """The look of `value` in `kind`. A state nobody has designed yet reads as its own name, in grey."""
    key = str(value).lower()
    known = LOOKS.get(kind, {}).get(key)
    return known or Look(key.replace("_", " ").capitalize(), "circle-dot", _N)
