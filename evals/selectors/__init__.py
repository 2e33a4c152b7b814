"""Reads of evaluations."""

from __future__ import annotations

from evals.selectors.reports import report_by_digest, reports_of_release, worst_first

__all__ = ["report_by_digest", "reports_of_release", "worst_first"]
