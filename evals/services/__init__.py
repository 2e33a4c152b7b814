"""Writes of evaluations."""

from __future__ import annotations

from evals.services.gates import GateSubject, check_params, run_gate
from evals.services.probe_runs import run_probe
from evals.services.probes import accept_baseline, request_due_probes, request_probe
from evals.services.suites import publish_suite

__all__ = [
    "GateSubject",
    "accept_baseline",
    "check_params",
    "publish_suite",
    "request_due_probes",
    "request_probe",
    "run_gate",
    "run_probe",
]
