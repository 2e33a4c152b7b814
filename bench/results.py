"""Results as a table for people and as JSON for later comparison."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import facts

DIRECTORY = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one benchmark found. `met` says whether the target in `target` was reached in this run."""

    name: str
    value: float
    unit: str
    target: str
    met: bool
    details: dict[str, Any]


def table(results: Sequence[Result]) -> str:
    """One line per benchmark: name, value, target, verdict."""
    rows = [("benchmark", "measured", "target", "")]
    rows += [
        (
            result.name,
            f"{result.value:.3g} {result.unit}".strip(),
            result.target,
            "met" if result.met else "MISSED",
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def write(results: Sequence[Result]) -> Path:
    """`bench/results/<time>.json` with machine facts and versions."""
    DIRECTORY.mkdir(exist_ok=True)
    at = datetime.now(tz=UTC)  # noqa: TID251 - a file name, not a decision
    path = DIRECTORY / f"{at:%Y-%m-%dT%H%M%SZ}.json"
    body = {"at": at.isoformat(), "machine": facts(), "results": [vars(result) for result in results]}
    path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    return path
