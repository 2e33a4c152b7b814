"""The report of a replay: what happened, what it shows, and the course of both rollouts as a picture. One file, nothing loaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from promptstore.replay.claims import Claim
from promptstore.replay.story import CaseStudy

_TEMPLATE = Path(__file__).with_name("report.html")
WIDTH, HEIGHT = 720, 160


def write_report(path: Path, *, story: CaseStudy, claims: Sequence[Claim], took_s: float) -> Path:
    """Write the HTML file; returns its absolute path."""
    happened = story.happened
    rollouts = [
        (title, story.team.rollout(rollout_id)["decisions"][::-1])
        for title, rollout_id in (
            ("Release 2.0.0 on the provider's model", happened.first_rollout),
            ("Release 2.1.0 on the pinned model", happened.second_rollout),
        )
    ]
    template = Engine(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    page = template.render(
        Context(
            {
                "claims": claims,
                "moments": happened.moments,
                "rollouts": [
                    {
                        "title": title,
                        "line": _line(decisions),
                        "decisions": decisions,
                        "width": WIDTH,
                        "height": HEIGHT,
                    }
                    for title, decisions in rollouts
                ],
                "counts": story.stage.provider.counts(),
                "outcomes": sorted(story.traffic.seen.outcomes.items()),
                "changed_to": story.stage.provider.changed_to,
                "took_s": round(took_s),
            }
        )
    )
    path.write_text(page, encoding="utf-8")
    return path.resolve()


def _line(decisions: Sequence[dict[str, Any]]) -> str:
    """The weight over time as the points of a stepped SVG line; the whole width is from the first decision to the last."""
    at = [datetime.fromisoformat(one["at"]).timestamp() for one in decisions]
    whole = max(at[-1] - at[0], 1.0)
    points: list[str] = []
    for moment, decision in zip(at, decisions, strict=True):
        x = WIDTH * (moment - at[0]) / whole
        for weight in (decision["from_weight_bp"], decision["to_weight_bp"]):
            points.append(f"{x:.1f},{HEIGHT - HEIGHT * weight / 10_000:.1f}")
    return " ".join(points)
