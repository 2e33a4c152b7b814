"""What the gateway adds to a call of a model, beside calling the same model directly, in the same run at a constant rate.

A serving node as in production, with a rendered prompt of 2 KB, a checked output schema, the policy filter and the telemetry spool,
in front of the scripted provider. Calls through the gateway and direct calls with the very body that the gateway sends leave by
turns at planned moments; the n-th of the one and the n-th of the other make a pair, half a period apart. What is added is the
distribution of the pairs' differences. Its p99 holds the noise of both calls and is the stricter figure; the difference of the two
p99 stands beside it.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import open_loop, workload
from bench.instance import Instance, scripted_provider, serving_node
from bench.machine import cpu_seconds
from bench.open_loop import NUMBER, Answers, Load, Stream, post_request
from bench.results import Result

TARGET_P50_MS = 1.5
TARGET_P99_MS = 8.0
WARM_UP_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A feature of `bench.workload`, asked for a whole answer or a stream."""

    feature: str
    title: str
    streamed: bool = False


SCENARIOS = (
    Scenario(feature="instant", title="whole answer, instant model"),
    Scenario(feature="slow", title=f"whole answer, model of {workload.LATENCY_MS} ms"),
    Scenario(
        feature="streamed", title=f"first piece of a stream, model of {workload.LATENCY_MS} ms", streamed=True
    ),
)


def measure(
    made: Instance, *, per_second: float, seconds: float, server_core: set[int], client_core: set[int]
) -> list[Result]:
    """Two results for each scenario, the median and the p99 of what is added at `per_second` calls; `seconds` for each."""
    results: list[Result] = []
    with scripted_provider(made, workload.SCRIPT) as (provider_pid, provider_port):
        workload.prepare(made.environment, provider_port=provider_port)
        with serving_node(made) as node_pid:
            os.sched_setaffinity(node_pid, server_core)
            os.sched_setaffinity(provider_pid, client_core)
            for scenario in SCENARIOS:
                streams = _streams(made, scenario, provider_port=provider_port, per_second=per_second)
                _run(streams, seconds=WARM_UP_S, cores=client_core)
                before = cpu_seconds(node_pid)
                load = _run(streams, seconds=seconds, cores=client_core)
                cpu_us = 1e6 * (cpu_seconds(node_pid) - before) / len(load.answers["gateway"].total_us)
                results += _results(scenario, load, per_second=per_second, cpu_us=cpu_us)
    return results


def _run(streams: Sequence[Stream], *, seconds: float, cores: set[int]) -> Load:
    return open_loop.finish(open_loop.start(streams, seconds=seconds, cores=cores))


def _streams(made: Instance, scenario: Scenario, *, provider_port: int, per_second: float) -> list[Stream]:
    asked = chat_request(scenario.feature, key=made.key, streamed=scenario.streamed)
    sent = _sent_upstream(made, scenario, provider_port=provider_port)
    direct = post_request("/v1/chat/completions", body=sent)
    return [
        Stream(name="gateway", port=made.serving_port, request=asked, per_second=per_second),
        Stream(name="direct", port=provider_port, request=direct, per_second=per_second),
    ]


def chat_request(feature: str, *, key: str, streamed: bool) -> str:
    """A call of a feature of `bench.workload`, each time for another unit."""
    return post_request("/v1/chat/completions", key=key, body=_chat(feature, streamed=streamed))


def _chat(feature: str, *, streamed: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": feature,
        "unit": f"user-{NUMBER}",
        "session": f"visit-{NUMBER}",
        "prompt_variables": workload.VARIABLES,
    }
    return {**body, "stream": True} if streamed else body


def _sent_upstream(made: Instance, scenario: Scenario, *, provider_port: int) -> dict[str, Any]:
    """What the gateway sends to the model for one call, as the provider saw it. The answer is looked at too."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{made.serving_port}/v1/chat/completions",
        data=json.dumps(_chat(scenario.feature, streamed=scenario.streamed)).encode(),
        headers={"Authorization": f"Bearer {made.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = response.read()
    if not scenario.streamed and json.loads(answer)["choices"][0]["message"]["content"] != workload.ANSWER:
        raise SystemExit(f"unexpected answer: {answer[:300]!r}")
    with urllib.request.urlopen(f"http://127.0.0.1:{provider_port}/_calls", timeout=10) as response:
        body: dict[str, Any] = json.load(response)["recent"][-1]["body"]
    if len(body["messages"][0]["content"]) < 1_500:
        raise SystemExit("the prompt is smaller than what is to be measured")
    return body


def _results(scenario: Scenario, load: Load, *, per_second: float, cpu_us: float) -> list[Result]:
    gateway, direct = load.answers["gateway"], load.answers["direct"]
    shown = {"first": (gateway.first_us, direct.first_us), "total": (gateway.total_us, direct.total_us)}
    added = {name: quantiles_ms(differences(*pair)) for name, pair in shown.items()}
    headline = added["first" if scenario.streamed else "total"]
    details: dict[str, Any] = {
        "calls": len(gateway.total_us),
        "per_second": per_second,
        "failed": gateway.failed + direct.failed,
        **{f"added_{name}_ms": found for name, found in added.items()},
        **{
            f"{name}_{what}_ms": quantiles_ms(_known(times)) for name, what, times in _series(gateway, direct)
        },
        "server_cpu_us": round(cpu_us),
        "client_busy": round(load.busy, 2),
        # Nearer to the period of the calls than to nothing: the client was the limit.
        "sent_late_p99_us": round(load.late_us),
    }
    targets = (("median", "p50", TARGET_P50_MS), ("p99", "p99", TARGET_P99_MS))
    return [
        Result(
            name=f"gateway adds, {word}: {scenario.title}",
            value=headline[key],
            unit="ms",
            target=f"≤ {target} ms",
            met=headline[key] <= target and not details["failed"],
            details=details if key == "p50" else {"see": "the median's details"},
        )
        for word, key, target in targets
    ]


def _series(gateway: Answers, direct: Answers) -> Iterable[tuple[str, str, Sequence[float | None]]]:
    for name, answers in (("gateway", gateway), ("direct", direct)):
        yield name, "first", answers.first_us
        yield name, "total", answers.total_us


def differences(one: Sequence[float | None], other: Sequence[float | None]) -> list[float]:
    """`one` minus `other`, pair by pair, where both are known."""
    return [a - b for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def quantiles_ms(values_us: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    if not values_us:
        return {"p50": float("inf"), "p95": float("inf"), "p99": float("inf")}
    ordered = sorted(values_us)
    return {f"p{q}": round(ordered[len(ordered) * q // 100] / 1_000, 3) for q in (50, 95, 99)}


def _known(times: Sequence[float | None]) -> list[float]:
    return [time for time in times if time is not None]
