"""What people ask the configuration assistant: many requests from a few patterns, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

FEATURE = "config-assistant"
PEOPLE = 400

_SERVICES = (
    "billing", "catalogue", "checkout", "search", "inventory", "mail", "reports", "login", "shipping", "pricing",
)  # fmt: skip
_PATTERNS = (
    "Requests to {service} time out, allow {seconds} seconds.",
    "Calls to the {service} service take too long. Wait up to {seconds} seconds.",
    "Give {service} a timeout of {seconds} s.",
    "The {service} service logs too much.",
    "Reduce log noise in {service}.",
    "I need to see every detail that {service} logs.",
    "Use {count} worker processes for {service}.",
    "{service} is slow at noon, run {count} workers.",
    "Run only {count} workers, the {service} machine is small.",
    "Keep {service} pages in the cache for {minutes} minutes.",
    "Cache answers of {service} for {minutes} min.",
    "Prices of {service} change often, cache them for {seconds} seconds only.",
    "Let the office network reach {service}.",
    "Only 10.{count}.0.0/16 may call {service}.",
    "Open {service} to our VPN at 10.{minutes}.8.0/24.",
)


@dataclass(frozen=True)
class Asked:
    """One request of one person."""

    unit: str
    request: str


class Crowd:
    """People who ask. A person comes back, and some come far more often than others."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - variety, not a secret

    def ask(self) -> Asked:
        """The next request."""
        draw = self._random
        # A square: the first tenth of the people makes about a third of the calls.
        person = int(PEOPLE * draw.random() ** 2)
        text = draw.choice(_PATTERNS).format(
            service=draw.choice(_SERVICES),
            seconds=draw.choice((5, 10, 20, 30, 45, 60, 90)),
            minutes=draw.choice((1, 2, 5, 10, 15, 30)),
            count=draw.choice((2, 3, 4, 6, 8, 12)),
        )
        return Asked(unit=f"user-{person:03d}", request=text[:1].upper() + text[1:])
