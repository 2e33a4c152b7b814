"""What a node counts, for Prometheus.

Plain dictionaries on the request path; the exposition is made when it is scraped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from promptstore.core import clock

if TYPE_CHECKING:
    from serving.node import Node

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

BREAKER_LEVELS = {"closed": 0, "half_open": 1, "open": 2}


class _Histogram:
    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.total_s = 0.0


class Metrics:
    """Counters of one node. Only the event loop touches them."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.inferences: Counter[tuple[str, str, str]] = Counter()
        self.intake: Counter[str] = Counter()
        self.breaker_transitions: Counter[tuple[str, str]] = Counter()
        self.fallbacks: Counter[tuple[str, str]] = Counter()
        self.copies_dropped: Counter[tuple[str, str]] = Counter()
        self.latency: dict[str, _Histogram] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self.requests[route, status] += 1
        histogram = self.latency.get(route)
        if histogram is None:
            histogram = self.latency[route] = _Histogram()
        histogram.counts[bisect_left(BUCKETS_S, seconds)] += 1
        histogram.total_s += seconds

    def inference(self, feature: str, arm: str, status: str) -> None:
        """One recorded model call or safe-mode answer."""
        self.inferences[feature, arm, status] += 1

    def breaker_entered(self, feature: str, state: str) -> None:
        """One transition of a circuit breaker."""
        self.breaker_transitions[feature, state] += 1

    def fallback(self, feature: str, source: str) -> None:
        """One answer given in place of a model that is not asked."""
        self.fallbacks[feature, source] += 1

    def copy_dropped(self, feature: str, reason: str) -> None:
        """One copy of a call that the other release was not asked for."""
        self.copies_dropped[feature, reason] += 1


def exposition(node: Node) -> bytes:
    """The node's metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_NodeCollector(node))
    return generate_latest(registry)


class _NodeCollector(Collector):
    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        yield from self._traffic()
        yield from self._breakers()
        yield from self._snapshot()
        yield from self._spool()

    def _traffic(self) -> Iterator[Metric]:
        metrics = self._node.metrics
        requests = CounterMetricFamily(
            "promptstore_serving_requests", "Answered requests", labels=["route", "status"]
        )
        for (route, status), count in metrics.requests.items():
            requests.add_metric([route, str(status)], count)
        yield requests
        latency = HistogramMetricFamily(
            "promptstore_serving_request_seconds", "Time to answer", labels=["route"]
        )
        for route, histogram in metrics.latency.items():
            cumulative = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*BUCKETS_S, float("inf")), histogram.counts, strict=True):
                cumulative += count
                buckets.append(("+Inf" if bound == float("inf") else str(bound), cumulative))
            latency.add_metric([route], buckets, histogram.total_s)
        yield latency
        inferences = CounterMetricFamily(
            "promptstore_serving_inferences", "Recorded inferences", labels=["feature", "arm", "status"]
        )
        for labels, count in metrics.inferences.items():
            inferences.add_metric(list(labels), count)
        yield inferences
        intake = CounterMetricFamily(
            "promptstore_serving_intake_events", "Events offered by services", labels=["outcome"]
        )
        for outcome, count in metrics.intake.items():
            intake.add_metric([outcome], count)
        yield intake
        dropped = CounterMetricFamily(
            "promptstore_serving_copies_dropped", "Copies of calls not made", labels=["feature", "reason"]
        )
        for (feature, reason), count in metrics.copies_dropped.items():
            dropped.add_metric([feature, reason], count)
        yield dropped

    def _breakers(self) -> Iterator[Metric]:
        node = self._node
        # Releases with the same model and other settings have breakers of their own: the worst is shown.
        worst: dict[tuple[str, str, str, str], int] = {}
        for key, state in node.breakers.states():
            environment = node.holder.current.environments[key.environment_id]
            labels = (environment.project, environment.name, key.feature, key.model)
            worst[labels] = max(worst.get(labels, 0), BREAKER_LEVELS[state.value])
        states = GaugeMetricFamily(
            "promptstore_serving_breaker_state",
            "0 closed, 1 half-open, 2 open",
            labels=["project", "environment", "feature", "model"],
        )
        for labels, level in worst.items():
            states.add_metric(list(labels), level)
        yield states
        transitions = CounterMetricFamily(
            "promptstore_serving_breaker_transitions", "States entered", labels=["feature", "state"]
        )
        for (feature, name), count in node.metrics.breaker_transitions.items():
            transitions.add_metric([feature, name], count)
        yield transitions
        fallbacks = CounterMetricFamily(
            "promptstore_serving_fallbacks", "Answers in place of a model", labels=["feature", "source"]
        )
        for (feature, source), count in node.metrics.fallbacks.items():
            fallbacks.add_metric([feature, source], count)
        yield fallbacks

    def _snapshot(self) -> Iterator[Metric]:
        node = self._node
        generation = GaugeMetricFamily(
            "promptstore_serving_generation", "Generation served", labels=["project", "environment"]
        )
        stale = GaugeMetricFamily(
            "promptstore_serving_stale_seconds",
            "For how long the environment may have been out of date",
            labels=["project", "environment"],
        )
        now = clock.now()
        for environment in node.holder.current.environments.values():
            labels = [environment.project, environment.name]
            generation.add_metric(labels, environment.generation)
            since = node.freshness.since(environment)
            stale.add_metric(labels, 0.0 if since is None else (now - since).total_seconds())
        yield generation
        yield stale
        unread = GaugeMetricFamily(
            "promptstore_serving_unread_features",
            "Features whose newest document this node cannot read",
            labels=["project", "environment"],
        )
        for environment in node.holder.current.environments.values():
            unread.add_metric([environment.project, environment.name], len(environment.unread))
        yield unread
        refused = CounterMetricFamily("promptstore_serving_roots_refused", "Refused roots", labels=["reason"])
        for reason, count in node.feed.loader.refusals.items():
            refused.add_metric([reason.value], count)
        yield refused

    def _spool(self) -> Iterator[Metric]:
        spool, drain = self._node.spool, self._node.drain
        yield GaugeMetricFamily(
            "promptstore_serving_spool_bytes", "Bytes in the spool", value=spool.depth_bytes
        )
        yield CounterMetricFamily(
            "promptstore_serving_events_spooled", "Events accepted", value=spool.accepted
        )
        yield CounterMetricFamily(
            "promptstore_serving_events_delivered", "Events stored", value=drain.delivered
        )
        lost = CounterMetricFamily(
            "promptstore_serving_events_dropped", "Events dropped or lost", labels=["reason"]
        )
        for reason, count in (*spool.dropped.items(), *spool.lost.items()):
            lost.add_metric([reason.value], count)
        lost.add_metric(["rejected"], drain.rejected)
        lost.add_metric(["unknown_place"], drain.strays.total())
        yield lost
