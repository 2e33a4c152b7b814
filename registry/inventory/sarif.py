"""A scan as SARIF 2.1.0 (OASIS standard), which code hosts show beside the lines of a change."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from registry.inventory.sites import CallSite, Scan, Unread

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
UNGOVERNED = "ungoverned-call"
UNREAD = "unread-file"
_RULES = (
    (
        UNGOVERNED,
        "A model is called around Promptstore",
        "Send the call through a gateway, or say in a comment why it may stay: promptstore: ignore[reason]",
        "warning",
    ),
    (UNREAD, "A source file could not be read", "What it calls is not known. Split or fix the file.", "note"),
)


def as_sarif(scan: Scan, *, version: str) -> dict[str, Any]:
    """One run with a result for each call that is not governed (those ignored with a reason as suppressed) and each unread file.

    `version` is the product's. Paths are relative to the scanned root, `%SRCROOT%`.
    """
    results = [_call(site) for site in scan.sites if not site.governed]
    results += [_unread(file) for file in scan.unread]
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": title},
            "help": {"text": text},
            "defaultConfiguration": {"level": level},
        }
        for rule, title, text, level in _RULES
    ]
    driver = {"name": "promptctl inventory scan", "version": version, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The scanned directory."}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _call(site: CallSite) -> dict[str, Any]:
    region = {"startLine": site.line, "startColumn": site.column, "snippet": {"text": site.snippet}}
    result: dict[str, Any] = {
        "ruleId": UNGOVERNED,
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": f"{site.api} is called around Promptstore."},
        "locations": [_location(site.path, region)],
        "partialFingerprints": {"callSite/v1": site.fingerprint},
    }
    if site.ignored:
        result["suppressions"] = [{"kind": "inSource", "justification": site.ignored}]
    return result


def _unread(file: Unread) -> dict[str, Any]:
    return {
        "ruleId": UNREAD,
        "ruleIndex": 1,
        "level": "note",
        "message": {"text": f"Could not be read: {file.reason}."},
        "locations": [_location(file.path, None)],
    }


def _location(path: str, region: dict[str, Any] | None) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(path), "uriBaseId": "SRCROOT"}}
    if region is not None:
        place["region"] = region
    return {"physicalLocation": place}
