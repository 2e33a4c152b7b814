"""What users ask during a replay, and what they got to see."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from promptstore.demo.content import FEATURE
from promptstore.replay.stage import Stage

PEOPLE = 4_000
AT_ONCE = 24
# Below what the serving config takes.
CALLS_PER_S = 400

REQUESTS = (
    "Give the billing service 45 seconds before a request times out.",
    "Reports are slow, allow two minutes.",
    "The checkout writes too many log lines, show warnings only.",
    "Log nothing but errors in the mail service.",
    "Reduce log noise.",
    "Run four worker processes.",
    "Use sixteen workers for the import.",
    "Use eight workers.",
    "Keep product pages in the cache for five minutes.",
    "Only the VPN range 10.8.0.0/24 may connect.",
    "Allow the branch office, 10.30.0.0/16.",
    "Let the office network in.",
    "Double the number of workers.",
    "Show debug logs in the catalogue.",
)


@dataclass
class Seen:
    """What came back: calls by arm and outcome, and the distinct texts that were shown, by arm."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: dict[str, set[str]] = field(default_factory=dict)

    def add(self, arm: str, outcome: str, text: str) -> None:
        self.outcomes[arm, outcome] += 1
        if outcome == "shown":
            self.shown.setdefault(arm, set()).add(text)


class Traffic:
    """People who come back, the same for the same seed, and ask what others ask too."""

    def __init__(self, stage: Stage, *, seed: int = 7) -> None:
        self._stage = stage
        self._random = random.Random(seed)  # noqa: S311 - variety, not a secret
        self.seen = Seen()

    def send(self, calls: int) -> Counter[tuple[str, str]]:
        """So many chat completions through the serving API; returns this round's outcomes by arm. Raises `OSError`."""
        before = self.seen.outcomes.copy()
        asyncio.run(self._send(calls))
        return self.seen.outcomes - before

    async def _send(self, calls: int) -> None:
        free, started = asyncio.Semaphore(AT_ONCE), time.monotonic()
        asked = [(self._random.randrange(PEOPLE), self._random.choice(REQUESTS)) for _ in range(calls)]
        headers = {"Authorization": f"Bearer {self._stage.serving_key}"}
        async with aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=120)
        ) as session:

            async def one(number: int, person: int, request: str) -> None:
                await asyncio.sleep(started + number / CALLS_PER_S - time.monotonic())
                async with free:
                    await self._one(session, f"user-{person}", request)

            await asyncio.gather(*(one(number, *each) for number, each in enumerate(asked)))

    async def _one(self, session: aiohttp.ClientSession, unit: str, request: str) -> None:
        body = {"model": FEATURE, "unit": unit, "prompt_variables": {"request": request}, "messages": []}
        async with session.post(f"{self._stage.serving_url}/v1/chat/completions", json=body) as response:
            arm = response.headers.get("x-promptstore-arm", "none")
            answer = await response.json(content_type=None)
        if response.status != 200:
            self.seen.add(arm, f"HTTP {response.status}", "")
            return
        choice = answer["choices"][0]
        outcome = "withheld" if choice["finish_reason"] == "content_filter" else "shown"
        self.seen.add(arm, outcome, str(choice["message"]["content"]))
