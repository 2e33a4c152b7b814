"""How much of what the server can do at all is left once it answers `resolve`.

A raw ASGI handler with a body of the same size runs on the same server software with the same settings; the same client drives
both in turn, so that a busy machine disturbs both alike. The result is the median, over pairs of rounds, of the ratio of
requests per second of a core: one second divided by the processor time that a request costs the server. Requests per second by
the clock stand beside it; they agree on a quiet machine, and only there, because a neighbour takes time and no requests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.client import Round
from bench.instance import FEATURE, Instance, raw_server, serving_node
from bench.machine import cores, cpu_seconds
from bench.results import Result

TARGET = 0.6
CONNECTIONS = 32
UNITS = 500


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One round against one server."""

    round: Round
    server_cpu_s: float

    @property
    def cpu_us(self) -> float:
        """Processor time of the server per request, in microseconds."""
        return 1e6 * self.server_cpu_s / self.round.requests


def measure(made: Instance, *, rounds: int, seconds: float) -> Result:
    """`rounds` pairs of rounds of `seconds` each, after one warm-up pair."""
    server_core, client_core = cores()
    with serving_node(made) as node_pid:
        body = _answer(made)
        with raw_server(made, body_bytes=len(body)) as (raw_pid, raw_port):
            for pid in (node_pid, raw_pid):
                os.sched_setaffinity(pid, server_core)
            pairs = []
            for number in range(rounds + 1):
                length = seconds if number else 1.0
                raw = _round(made, pid=raw_pid, port=raw_port, seconds=length, client_core=client_core)
                ours = _round(
                    made, pid=node_pid, port=made.serving_port, seconds=length, client_core=client_core
                )
                pairs.append((raw, ours))
            cross_check = _wrk(made, raw_port=raw_port, seconds=seconds, client_core=client_core)
    return _result(pairs[1:], body_bytes=len(body), cross_check=cross_check)


def _result(
    pairs: list[tuple[Measured, Measured]], *, body_bytes: int, cross_check: dict[str, Any]
) -> Result:
    ratio = median(raw.cpu_us / ours.cpu_us for raw, ours in pairs)
    details: dict[str, Any] = {
        "body_bytes": body_bytes,
        "connections": CONNECTIONS,
        "rounds": len(pairs),
        "ratio_by_the_clock": round(
            median(ours.round.per_second / raw.round.per_second for raw, ours in pairs), 3
        ),
        **cross_check,
    }
    for name, index in (("raw", 0), ("resolve", 1)):
        measured = [pair[index] for pair in pairs]
        details[name] = {
            "requests_per_s": round(median(one.round.per_second for one in measured)),
            "server_cpu_us": round(median(one.cpu_us for one in measured), 1),
            "p50_us": round(median(one.round.p50_us for one in measured)),
            "p99_us": round(median(one.round.p99_us for one in measured)),
            # Near 1: the client was the limit, and the ratio by the clock is flattering.
            "client_busy": round(median(one.round.cpu_s / one.round.seconds for one in measured), 2),
            "server_busy": round(median(one.server_cpu_s / one.round.seconds for one in measured), 2),
        }
    return Result(
        name="resolve beside a raw handler",
        value=round(ratio, 3),
        unit="of raw",
        target=f"≥ {TARGET}",
        met=ratio >= TARGET,
        details=details,
    )


def paths() -> list[str]:
    """Resolve for many units, so that no per-unit shortcut could flatter the result."""
    return [f"/v1/features/{FEATURE}/resolve?unit=user-{number}" for number in range(UNITS)]


def _round(made: Instance, *, pid: int, port: int, seconds: float, client_core: set[int]) -> Measured:
    job = {
        "port": port,
        "paths": paths(),
        "key": made.key,
        "connections": CONNECTIONS,
        "seconds": seconds,
        "cores": sorted(client_core),
    }
    before = cpu_seconds(pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.client"],
        input=json.dumps(job).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the client failed:\n{done.stderr.decode()[-2000:]}")
    return Measured(round=Round(**json.loads(done.stdout)), server_cpu_s=cpu_seconds(pid) - before)


def _answer(made: Instance) -> bytes:
    """One real answer, looked at: what is measured must be what a service would get."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{made.serving_port}{paths()[0]}", headers={"Authorization": f"Bearer {made.key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        body: bytes = response.read()
    answer = json.loads(body)
    if answer["arm"] != "stable" or not answer["prompt"]["messages"]:
        raise SystemExit(f"unexpected answer: {answer}")
    return body


def _wrk(made: Instance, *, raw_port: int, seconds: float, client_core: set[int]) -> dict[str, Any]:
    """The same ratio by wrk, where it is installed: a second opinion on our own client."""
    if not shutil.which("wrk"):
        return {}
    found = {}
    for name, port in (("raw", raw_port), ("resolve", made.serving_port)):
        command = [
            "taskset",
            "-c",
            str(min(client_core)),
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
        ]
        command += ["-H", f"Authorization: Bearer {made.key}", f"http://127.0.0.1:{port}{paths()[0]}"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        line = next(line for line in output.splitlines() if line.startswith("Requests/sec"))
        found[name] = float(line.split()[1])
    return {"wrk": found | {"ratio": round(found["resolve"] / found["raw"], 3)}}
