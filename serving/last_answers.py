"""The last good answers of a node, for a breaker that is open. In memory alone: what users were told touches no disk."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from serving.answers import Answer
from serving.routing import Decision

MAX_BYTES = 32_000_000
MAX_ANSWER_BYTES = 256_000
_ENTRY_BYTES = 500


class LastAnswers:
    """Least recently used go first once `max_bytes` are held; single answers over 256 kB are not kept."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._max_bytes = max_bytes
        self._held: OrderedDict[bytes, tuple[float, int, Answer]] = OrderedDict()
        self._bytes = 0

    def put(self, key: bytes, answer: Answer) -> None:
        """Keep an answer that its user was shown. Nobody may put one that a policy withheld."""
        size = len(orjson.dumps([answer.text, answer.tool_calls])) + _ENTRY_BYTES
        self._drop(key)
        if size > MAX_ANSWER_BYTES:
            return
        self._held[key] = (self._now(), size, answer)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._held)))

    def get(self, key: bytes, *, max_age_s: float) -> Answer | None:
        """The answer, unless it is older than `max_age_s` seconds."""
        entry = self._held.get(key)
        if entry is None:
            return None
        if self._now() - entry[0] > max_age_s:
            self._drop(key)
            return None
        self._held.move_to_end(key)
        return entry[2]

    def _drop(self, key: bytes) -> None:
        entry = self._held.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]


def answer_key(decision: Decision, messages: Sequence[dict[str, Any]], max_tokens: int | None) -> bytes:
    """Equal for the same rendered input of the same release of a feature in an environment, and for nothing else."""
    environment_id = decision.environment.root.signed.environment_id
    asked = [environment_id, decision.name, decision.release.digest, messages, max_tokens]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()
