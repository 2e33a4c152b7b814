"""The states of a review item and what may happen to it. No Django."""

from __future__ import annotations

from enum import StrEnum

from promptstore.core.machines import SYSTEM, Machine, next_state, rows

__all__ = ["REVIEW", "ReviewState", "SkipReason", "next_state"]


class ReviewState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    LABELLED = "labelled"
    SETTLED = "settled"
    SKIPPED = "skipped"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"


class SkipReason(StrEnum):
    """Why a person passes an item on."""

    NOT_MY_SUBJECT = "not_my_subject"
    UNREADABLE = "unreadable"
    CONFLICT = "conflict"
    OTHER = "other"


_S = ReviewState

REVIEW: Machine[ReviewState] = Machine(
    name="review item",
    states=ReviewState,
    initial=_S.QUEUED,
    transitions=(
        *rows("claim", (_S.QUEUED,), _S.LEASED, "review.label"),
        *rows("expire", (_S.LEASED,), _S.QUEUED, SYSTEM),
        *rows("label", (_S.LEASED,), _S.LABELLED, "review.label"),
        # The product looks at the labels at once: one more is wanted, they agree, or a person has to decide.
        *rows("ask_again", (_S.LABELLED,), _S.QUEUED, SYSTEM),
        *rows("settle", (_S.LABELLED,), _S.SETTLED, SYSTEM),
        *rows("disagree", (_S.LABELLED,), _S.ESCALATED, SYSTEM),
        *rows("skip", (_S.LEASED,), _S.QUEUED, "review.label"),
        # Nobody is left who could judge it.
        *rows("set_aside", (_S.QUEUED,), _S.SKIPPED, SYSTEM),
        *rows("escalate", (_S.LEASED,), _S.ESCALATED, "review.label"),
        *rows("decide", (_S.ESCALATED, _S.SKIPPED), _S.SETTLED, "review.settle"),
        *rows("withdraw", (_S.QUEUED, _S.LEASED, _S.ESCALATED, _S.SKIPPED), _S.WITHDRAWN, SYSTEM),
    ),
)
