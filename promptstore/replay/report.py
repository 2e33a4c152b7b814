"""The report of a replay: what happened, what it shows, and the course of both rollouts as pictures. One file, nothing loaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from promptstore.cli.output import weight
from promptstore.replay.claims import Claim
from promptstore.replay.story import CaseStudy

_TEMPLATE = Path(__file__).with_name("report.html")
WIDTH, HEIGHT = 720, 160


def write_report(path: Path, *, story: CaseStudy, claims: Sequence[Claim], took_s: float) -> Path:
    """Write the HTML file; returns its absolute path."""
    happened = story.happened
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals["weight"] = weight
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        claims=claims,
        moments=happened.moments,
        rollouts=[
            _rollout(title, story.team.rollout(rollout_id))
            for title, rollout_id in (
                ("Release 2.0.0 on the provider’s model", happened.first_rollout),
                ("Release 2.1.0 on the pinned model", happened.second_rollout),
            )
        ],
        counts=story.stage.provider.counts(),
        outcomes=sorted(story.traffic.seen.outcomes.items()),
        changed_to=story.stage.provider.changed_to,
        took_s=round(took_s),
        width=WIDTH,
        height=HEIGHT,
    )
    path.write_text(page, encoding="utf-8")
    return path.resolve()


def _rollout(title: str, found: dict[str, Any]) -> dict[str, Any]:
    decisions = found["decisions"][::-1]
    rule = next(rule for rule in found["measurements"] if rule["id"] == "policy-hits")
    lines, limit = _course(rule["charts"][0]["data"])
    return {
        "title": title,
        "line": _weights(decisions),
        "decisions": decisions,
        "rule": rule["when"],
        "hits": lines,
        "limit": limit,
    }


def _weights(decisions: Sequence[dict[str, Any]]) -> str:
    """The weight over time as the points of a stepped SVG line; the whole width is from the first decision to the last."""
    at = [datetime.fromisoformat(one["at"]).timestamp() for one in decisions]
    whole = max(at[-1] - at[0], 1.0)
    points: list[str] = []
    for moment, decision in zip(at, decisions, strict=True):
        x = WIDTH * (moment - at[0]) / whole
        for weight_bp in (decision["from_weight_bp"], decision["to_weight_bp"]):
            points.append(f"{x:.1f},{HEIGHT - HEIGHT * weight_bp / 10_000:.1f}")
    return " ".join(points)


def _course(chart: dict[str, Any]) -> tuple[list[str], str]:
    """A measured course as SVG lines, one for each stretch without a gap, and the height of its limit."""
    values = next(one["values"] for one in chart["series"] if one["key"] == "candidate")
    limit = chart["limit"]["value"]
    highest = 1.1 * max([limit, *(value for value in values if value is not None)])
    first, last = chart["x"][0], chart["x"][-1]
    lines: list[list[str]] = [[]]
    for moment, value in zip(chart["x"], values, strict=True):
        if value is None:
            lines.append([])
            continue
        x = WIDTH * (moment - first) / max(last - first, 1)
        lines[-1].append(f"{x:.1f},{HEIGHT - HEIGHT * value / highest:.1f}")
    return [" ".join(line) for line in lines if line], f"{HEIGHT - HEIGHT * limit / highest:.1f}"
