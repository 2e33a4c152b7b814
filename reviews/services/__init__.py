"""What may happen to review items, their leases and their labels."""

from reviews.services.claims import claim_next, expire_leases, heartbeat
from reviews.services.danger import add_item_to_danger_set
from reviews.services.labels import Submitted, submit_label
from reviews.services.passing import escalate_item, skip_item
from reviews.services.samples import enqueue_samples
from reviews.services.settling import settle_item
from reviews.services.withdrawing import withdraw_items

__all__ = [
    "Submitted",
    "add_item_to_danger_set",
    "claim_next",
    "enqueue_samples",
    "escalate_item",
    "expire_leases",
    "heartbeat",
    "settle_item",
    "skip_item",
    "submit_label",
    "withdraw_items",
]
