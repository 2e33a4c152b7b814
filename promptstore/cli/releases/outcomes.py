"""What a state means to a script."""

from __future__ import annotations

from collections.abc import Mapping

from promptstore.cli.exits import Exit

PROMOTION: Mapping[str, Exit] = {
    "drafted": Exit.FINE,
    "checking": Exit.FINE,
    "blocked": Exit.FINDINGS,
    "awaiting_approval": Exit.FINE,
    "approved": Exit.FINE,
    "rolling_out": Exit.FINE,
    "live": Exit.FINE,
    "rejected": Exit.FINDINGS,
    "rolled_back": Exit.FINDINGS,
    "cancelled": Exit.INCONCLUSIVE,
    "expired": Exit.INCONCLUSIVE,
    "superseded": Exit.INCONCLUSIVE,
}
ROLLOUT: Mapping[str, Exit] = {
    "pending": Exit.FINE,
    "running": Exit.FINE,
    "paused": Exit.FINE,
    "completed": Exit.FINE,
    "rolling_back": Exit.FINDINGS,
    "rolled_back": Exit.FINDINGS,
    "aborted": Exit.INCONCLUSIVE,
}
# Nothing more happens by itself.
PROMOTION_ENDS = frozenset(
    {"blocked", "live", "rejected", "rolled_back", "cancelled", "expired", "superseded"}
)
ROLLOUT_ENDS = frozenset({"completed", "rolled_back", "aborted"})


def exit_of(outcomes: Mapping[str, Exit], state: str) -> Exit:
    """The exit code of a state; a state that this version does not know proves nothing."""
    return outcomes.get(state, Exit.INCONCLUSIVE)
