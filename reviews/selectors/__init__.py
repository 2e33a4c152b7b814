from reviews.selectors.agreement import agreement, pairs
from reviews.selectors.danger import danger_case_of
from reviews.selectors.queue import (
    CLOSED,
    claimable,
    day_of,
    held_by,
    item_by_id,
    item_list,
    labels_of,
    queue_counts,
    rubric_shown,
    waiting_to_decide,
    waiting_to_judge,
)
from reviews.selectors.rates import label_rates
from reviews.selectors.rollouts import Unjudged, found_bad, unjudged

__all__ = [
    "CLOSED",
    "Unjudged",
    "agreement",
    "claimable",
    "danger_case_of",
    "day_of",
    "found_bad",
    "held_by",
    "item_by_id",
    "item_list",
    "label_rates",
    "labels_of",
    "pairs",
    "queue_counts",
    "rubric_shown",
    "unjudged",
    "waiting_to_decide",
    "waiting_to_judge",
]
