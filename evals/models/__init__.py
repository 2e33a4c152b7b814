from __future__ import annotations

from evals.models.probes import DriftProbe, ProbeRun
from evals.models.reports import GateReport
from evals.models.suites import Suite, SuiteVersion

__all__ = ["DriftProbe", "GateReport", "ProbeRun", "Suite", "SuiteVersion"]
