"""Sends chat completions at a steady rate, whether or not the answers keep up; what is under way is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from promptstore.cli.demo.counts import NO_ARM, Counts
from promptstore.cli.demo.requests import FEATURE, Asked, Crowd

# More would only queue in front of a small local model, and the queue would look like a slow release.
MAX_UNDER_WAY = 8
_TIMEOUT = aiohttp.ClientTimeout(total=120, connect=5)
# The slowest answer that is waited for once no more requests are sent.
_LINGER_S = 30.0


async def send_traffic(
    *,
    url: str,
    key: str,
    rate_per_s: float,
    duration_s: float,
    crowd: Crowd,
    report: Callable[[Counts, float], None],
    report_every_s: float,
) -> Counts:
    """Requests from `crowd` for `duration_s`, the n-th after `n / rate_per_s` seconds.

    `report` is called with the counts so far and the seconds passed.
    """
    counts = Counts()
    under_way: set[asyncio.Task[None]] = set()
    started = time.monotonic()
    total, following, next_report = max(1, round(rate_per_s * duration_s)), 0, report_every_s
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT, trust_env=False
    ) as session:
        try:
            while following < total:
                elapsed = time.monotonic() - started
                while following < total and following <= elapsed * rate_per_s:
                    following += 1
                    if len(under_way) >= MAX_UNDER_WAY:
                        counts.skipped += 1
                        continue
                    counts.sent += 1
                    task = asyncio.create_task(_one(session, url, crowd.ask(), counts))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                if elapsed >= next_report:
                    report(counts, elapsed)
                    next_report += report_every_s
                due = min(following / rate_per_s, next_report)
                await asyncio.sleep(max(0.0, due - (time.monotonic() - started)))
            if under_way:
                await asyncio.wait(under_way, timeout=_LINGER_S)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
    return counts


async def _one(session: aiohttp.ClientSession, url: str, asked: Asked, counts: Counts) -> None:
    body: dict[str, Any] = {
        "model": FEATURE,
        "unit": asked.unit,
        "prompt_variables": {"request": asked.request},
        "messages": [],
    }
    started = time.monotonic()
    try:
        async with session.post(f"{url}/v1/chat/completions", json=body, allow_redirects=False) as response:
            arm = response.headers.get("x-promptstore-arm", NO_ARM)
            outcome = _outcome(response.status, await response.json(content_type=None))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        arm, outcome = NO_ARM, "failed"
    counts.add(arm, outcome, 1000 * (time.monotonic() - started))


def _outcome(status: int, body: Any) -> str:
    """`withheld` is an answer that the policy filter replaced; `refused` a 4xx, `failed` a 5xx or no answer."""
    if status >= 500:
        return "failed"
    if status != 200:
        return "refused"
    choices = body.get("choices") if isinstance(body, dict) else None
    reason = choices[0].get("finish_reason") if choices else None
    return "withheld" if reason == "content_filter" else "answered"
