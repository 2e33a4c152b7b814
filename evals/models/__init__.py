from __future__ import annotations

from evals.models.probes import DriftProbe, ProbeRun
from evals.models.reports import GateReport

__all__ = ["DriftProbe", "GateReport", "ProbeRun"]
