"""The inventory's part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from registry.scans import ReportedSite
from registry.services import scans
from tests.architecture.write_cases import Case, acting

SITE = ReportedSite(
    fingerprint="0123", path="shop/assistant.py", line=7, api="openai responses.create", governed=False
)

CASES: dict[str, Case] = {
    "registry.services.scans.report_scan": lambda w: (
        lambda: scans.report_scan(**acting(w, "engineer", source="shop", sites=[SITE], files=1))
    ),
}
