"""Sample values for the style guide: invented numbers in the shapes that the components document."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import sin
from typing import Any

from promptstore.console.statuses import LOOKS

DIGEST = "sha256:4f2c9a7be01d5c83f6a2977b1e0c4d5592b8a3617de0f94c2ab85d7716e3c9f0"

BEFORE = """You help people set up their account.

Answer with one configuration entry as JSON.
If you are not sure, say so.
Never repeat credentials."""

AFTER = """You help people set up their account.

Answer with exactly one configuration entry as JSON, and nothing else.
If you are not sure, ask one short question.
Never repeat credentials.
Use the names that the schema declares."""

FINDINGS = [
    {
        "severity": "error",
        "message": "The slot “customer_tier” is not declared in the input schema.",
        "line": 3,
        "column": 24,
        "hint": "Declare it, or remove it from the text.",
        "code": "undeclared-variable",
        "where": "system",
    },
    {
        "severity": "warning",
        "message": "User text is placed before the instructions.",
        "line": 7,
        "column": 1,
        "hint": "Move the slot below the last instruction, or fence it.",
        "code": "injection-prone",
        "where": "user",
    },
    {"severity": "info", "message": "412 tokens with the example inputs; the budget is 1,200."},
]

CONSEQUENCES = [
    "New requests get 1.0.0 in steps: 75, 50, 25 and 0 % of the candidate's weight, five minutes apart.",
    "Conversations on the candidate get the safe mode until the incident is mitigated.",
    "The release stays in the store and can be promoted again.",
]

JSON_TEXT = """{
  "feature": "config-assistant",
  "arm": "candidate",
  "release": {"version": "1.1.0"},
  "model": "smollm2-135m-instruct"
}"""


def steps() -> list[dict[str, Any]]:
    """A rollout in its second step."""
    return [
        {
            "label": "2 %",
            "state": "done",
            "time_done": 600,
            "time_needed": 600,
            "samples_done": 640,
            "samples_needed": 500,
            "note": "All rules within limits",
        },
        {
            "label": "10 %",
            "state": "current",
            "time_done": 372,
            "time_needed": 600,
            "samples_done": 312,
            "samples_needed": 500,
        },
        {"label": "50 %", "state": "next", "time_needed": 900, "samples_needed": 1000},
        {"label": "100 %", "state": "next", "note": "Becomes stable"},
    ]


def troubled_steps() -> list[dict[str, Any]]:
    """The states that a good day does not show."""
    return [
        {"label": "2 %", "state": "done", "note": "All rules within limits"},
        {"label": "10 %", "state": "failed", "note": "Policy filter rate above 0.5 % for 10 min"},
        {"label": "50 %", "state": "held", "by": "telemetry", "note": "No data for 4 min"},
        {"label": "100 %", "state": "next", "by": "an owner"},
    ]


def status_groups() -> list[tuple[str, list[str]]]:
    """Every state of every kind."""
    return [(kind, list(looks)) for kind, looks in LOOKS.items()]


def rows() -> list[dict[str, Any]]:
    names = ["config-assistant", "release-notes", "support-triage", "summary", "tone-check"]
    return [
        {
            "name": name,
            "version": f"1.{4 - n}.0",
            "state": state,
            "calls": 15_040 * (n + 1),
            "success": (980 - 7 * n, 1000),
            "cost": 4_200_000 * (n + 1),
            "hours": 3 * n,
        }
        for n, (name, state) in enumerate(
            zip(names, ["published", "draft", "published", "withdrawn", "published"], strict=True)
        )
    ]


def chart(now: datetime, *, calm: bool = False) -> dict[str, Any]:
    """Half an hour of a policy-hit rate, by the minute, that ends at `now`'s minute."""
    end = now.replace(second=0, microsecond=0)
    moments = [int((end - timedelta(minutes=back)).timestamp()) for back in range(30, -1, -1)]
    # The wave depends on the moment itself, so a refreshed chart moves on instead of jumping.
    noise = [sin(moment / 190) * 0.0006 + sin(moment / 67) * 0.0004 for moment in moments]
    rise = [0.0 if calm else max(0, n - 16) * 0.00035 for n in range(len(moments))]
    candidate: list[float | None] = [round(0.0028 + a + b, 5) for a, b in zip(noise, rise, strict=True)]
    candidate[7] = candidate[8] = None
    return {
        "unit": "percent",
        "x": moments,
        "series": [
            {
                "key": "candidate",
                "label": "Candidate",
                "values": candidate,
                "low": [None if v is None else round(v * 0.7, 5) for v in candidate],
                "high": [None if v is None else round(v * 1.3, 5) for v in candidate],
            },
            {"key": "stable", "label": "Stable", "values": [round(0.0026 + n * 0.5, 5) for n in noise]},
        ],
        "limit": {"value": 0.005, "label": "Limit", "breach": "above"},
        "window": {"from": moments[-11], "to": moments[-1], "label": "for 10 min"},
        "marks": [{"at": moments[4], "label": "2 %"}, {"at": moments[15], "label": "10 %"}],
    }


def latency(now: datetime) -> dict[str, Any]:
    """Latency without a limit: two arms, no interval."""
    data = chart(now, calm=True)
    for position, series in enumerate(data["series"]):
        series["values"] = [
            None if v is None else round(300 + 40 * position + v * 20_000) for v in series["values"]
        ]
        series.pop("low", None)
        series.pop("high", None)
    return {"unit": "ms", "x": data["x"], "series": data["series"]}
