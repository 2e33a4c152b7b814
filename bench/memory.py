"""Whether memory stays flat under load: a node, the console and the workers, sampled every five seconds.

The node answers chat completions for ever new units, the console renders pages, the workers run the timetable. After a warm-up the
growth of each part is the Theil-Sen slope of its private memory (USS), carried on for half an hour; flat means that even the upper
end of its 95 % interval stays below 5 % of the memory the part holds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bench import open_loop, workload
from bench.gateway import chat_request
from bench.instance import Instance, celery, console, scripted_provider, serving_node
from bench.open_loop import Stream
from bench.processes import Memory, memory_of
from bench.results import Result
from bench.trend import theil_sen

TARGET = 0.05
HORIZON_S = 1_800.0
SAMPLE_S = 5.0
PAGES = ("/", "/inferences/", "/releases/", "/audit/", "/api/v1/projects/acme/inferences/")
PAGES_PER_S = 2.0
# An eighth of a run, at least twenty seconds: pools fill, caches reach their bounds, modules are imported at first use.
_WARM_UP_SHARE = 0.125
_WARM_UP_LEAST_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`at_s` counts from the start of the load."""

    at_s: float
    memory: Memory


def measure(made: Instance, *, minutes: float, per_second: float) -> Result:
    """`minutes` of load at `per_second` chat completions; `made` needs a broker."""
    seconds = 60 * minutes
    with ExitStack() as stack:
        _, provider_port = stack.enter_context(scripted_provider(made, workload.SCRIPT))
        access = workload.prepare(made.environment, provider_port=provider_port)
        parts = {
            "serving node": stack.enter_context(serving_node(made)),
            "console": stack.enter_context(console(made)),
            "worker": stack.enter_context(celery(made, "worker")),
            "controller": stack.enter_context(celery(made, "controller")),
        }
        stack.enter_context(celery(made, "scheduler"))
        client = open_loop.start(streams(made, access, per_second), seconds=seconds, cores=set())
        samples = _watch(parts, client, seconds=seconds)
        load = open_loop.finish(client)
    return result(samples, load, minutes=minutes, per_second=per_second)


def streams(made: Instance, access: workload.Access, per_second: float) -> list[Stream]:
    """Two thirds of the completions whole, one third streamed; pages in turn."""
    shares = {"instant": per_second / 3, "slow": per_second / 3, "streamed": per_second / 3}
    calls = [
        Stream(
            name=name,
            port=made.serving_port,
            request=chat_request(name, key=made.key, streamed=name == "streamed"),
            per_second=rate,
        )
        for name, rate in shares.items()
    ]
    pages = [
        Stream(
            name=path,
            port=made.console_port,
            request=f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {access.cookie}\r\n\r\n",
            per_second=PAGES_PER_S / len(PAGES),
        )
        for path in PAGES
    ]
    return calls + pages


def _watch(
    parts: Mapping[str, int], client: subprocess.Popen[str], *, seconds: float
) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {name: [] for name in parts}
    started = time.monotonic()
    for number in range(1, int(seconds / SAMPLE_S) + 1):
        time.sleep(max(0.0, started + number * SAMPLE_S - time.monotonic()))
        if client.poll():
            break  # `finish` says why
        for name, pid in parts.items():
            found[name].append(Sample(at_s=time.monotonic() - started, memory=memory_of(pid)))
        if number % 60 == 0:
            held = ", ".join(f"{name} {found[name][-1].memory.private / 1e6:.1f} MB" for name in parts)
            print(f"memory: {number * SAMPLE_S / 60:.0f} minutes, {held}", file=sys.stderr, flush=True)
    return found


def result(
    samples: Mapping[str, Sequence[Sample]], load: open_loop.Load, *, minutes: float, per_second: float
) -> Result:
    """The part that grows most says whether memory is flat."""
    parts = {name: growth(series, seconds=60 * minutes) for name, series in samples.items()}
    worst = max(part["growth_high"] for part in parts.values())
    failed = sum(answers.failed for answers in load.answers.values())
    return Result(
        name="growth of memory in 30 minutes, upper end",
        value=round(100 * worst, 2),
        unit="% of the part",
        target=f"≤ {100 * TARGET:.0f} %, no failed request",
        met=worst <= TARGET and not failed,
        details={
            "minutes": minutes,
            "completions_per_s": per_second,
            "pages_per_s": PAGES_PER_S,
            "requests": sum(len(answers.total_us) for answers in load.answers.values()),
            "failed": failed,
            "statuses": {name: dict(answers.statuses) for name, answers in load.answers.items()},
            **parts,
        },
    )


def growth(series: Sequence[Sample], *, seconds: float) -> dict[str, Any]:
    """Growth in half an hour as a share of what the part holds, with its 95 % interval, from the samples after the warm-up."""
    warm_up_s = max(_WARM_UP_LEAST_S, _WARM_UP_SHARE * seconds)
    settled = [sample for sample in series if sample.at_s > warm_up_s]
    held = settled[0].memory.private
    slope = theil_sen([one.at_s for one in settled], [one.memory.private for one in settled])
    return {
        "samples": len(settled),
        "private_mb": round(held / 1e6, 1),
        "private_mb_at_end": round(settled[-1].memory.private / 1e6, 1),
        "resident_mb_at_end": round(settled[-1].memory.resident / 1e6, 1),
        "private_mb_by_minute": [round(one.memory.private / 1e6, 1) for one in series[:: int(60 / SAMPLE_S)]],
        "growth": round(slope.value * HORIZON_S / held, 4),
        "growth_low": round(slope.low * HORIZON_S / held, 4),
        "growth_high": round(slope.high * HORIZON_S / held, 4),
    }
