"""What came back, per arm."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

NO_ARM = "none"
OUTCOMES = ("answered", "withheld", "refused", "failed")


@dataclass
class Counts:
    """`skipped` requests were due while too many were under way: the system is slower than the asked rate."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    latencies_ms: list[float] = field(default_factory=list)
    sent: int = 0
    skipped: int = 0

    def add(self, arm: str, outcome: str, latency_ms: float) -> None:
        """One finished request."""
        self.outcomes[arm][outcome] += 1
        self.latencies_ms.append(latency_ms)

    @property
    def answered(self) -> int:
        """Requests that got an answer which the policy let through."""
        return sum(arm["answered"] for arm in self.outcomes.values())

    def quantile_ms(self, share: float) -> float:
        """The latency that `share` of the finished requests did not exceed; 0 when there are none."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def line(self, elapsed_s: float) -> str:
        """Everything in one line."""
        arms = [f"{arm} {self._arm(self.outcomes[arm])}" for arm in sorted(self.outcomes)]
        parts = [f"{elapsed_s:5.0f} s", f"{self.sent} sent", *arms, f"p50 {self.quantile_ms(0.5):.0f} ms"]
        return "  ".join(parts + ([f"{self.skipped} skipped"] if self.skipped else []))

    def summary(self, elapsed_s: float) -> dict[str, Any]:
        """For `--json`."""
        return {
            "seconds": round(elapsed_s, 1),
            "sent": self.sent,
            "skipped": self.skipped,
            "arms": {arm: dict(outcomes) for arm, outcomes in sorted(self.outcomes.items())},
            "p50_ms": round(self.quantile_ms(0.5), 1),
            "p95_ms": round(self.quantile_ms(0.95), 1),
        }

    @staticmethod
    def _arm(outcomes: Counter[str]) -> str:
        others = [f"{outcomes[name]} {name}" for name in OUTCOMES[1:] if outcomes[name]]
        return f"{sum(outcomes.values())}" + (f" ({', '.join(others)})" if others else "")
