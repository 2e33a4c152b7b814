"""Drift probes: does a provider still answer as it did, under the same model name?

Not to be confused with `registry.probes`, which asks whether an endpoint answers at all. Here a fixed set of questions is asked
again and again, and the answers are compared with those of a baseline. Everything but `asking` is a pure computation.
"""

from __future__ import annotations

from evals.probes.built_in import BUILT_IN
from evals.probes.cases import ProbeCase, ProbeSet
from evals.probes.comparison import CaseChange, Comparison, compare
from evals.probes.readings import Reading, read

__all__ = ["BUILT_IN", "CaseChange", "Comparison", "ProbeCase", "ProbeSet", "Reading", "compare", "read"]
