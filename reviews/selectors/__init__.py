from reviews.selectors.agreement import agreement, pairs
from reviews.selectors.queue import (
    claimable,
    day_of,
    held_by,
    item_by_id,
    item_list,
    labels_of,
    queue_counts,
    rubric_shown,
)
from reviews.selectors.rates import label_rates

__all__ = [
    "agreement",
    "claimable",
    "day_of",
    "held_by",
    "item_by_id",
    "item_list",
    "label_rates",
    "labels_of",
    "pairs",
    "queue_counts",
    "rubric_shown",
]
