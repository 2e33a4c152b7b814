"""Which cases a stage asks, and in which order. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from evals.suites.spec import StageSpec


def planned(stage: StageSpec, keys: Iterable[str]) -> list[str]:
    """The keys of the cases to ask: all of them, or the sample, in an order that depends on key and seed alone.

    Every beginning of the list is itself a random sample, so a budget that ends too soon leaves no bias behind; and a dataset that
    grows keeps most of its sample.
    """
    ordered = sorted(keys, key=lambda key: (_rank(stage.seed, key), key))
    return ordered if stage.max_cases is None else ordered[: stage.max_cases]


def _rank(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{key}".encode()).digest()
