"""`python -m bench.report`: bring the table of docs/benchmarks.md up to date with the latest result of each benchmark."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.results import DIRECTORY

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "<!-- latest results: python -m bench.report -->"
END = "<!-- end of the latest results -->"


def latest(runs: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """`(run, result)` for each name, the last one of it, in the order in which the names first came up."""
    found: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for run in sorted(runs, key=lambda run: str(run["at"])):
        for result in run["results"]:
            found[result["name"]] = (run, result)
    return list(found.values())


def table(rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """A Markdown table: what was measured when, on what."""
    lines = [
        "| benchmark | measured | target | | when | on |",
        "|---|---|---|---|---|---|",
    ]
    for run, result in rows:
        machine = run["machine"]
        lines.append(
            f"| {result['name']} | {result['value']:.3g} {result['unit']} | {result['target']} "
            f"| {'met' if result['met'] else '**missed**'} | {run['at'][:16].replace('T', ' ')} "
            f"| {machine['cpu']}, {machine['cores']} cores, load {machine['load_1m']} |"
        )
    return "\n".join(lines)


def replaced(page: str, rendered: str) -> str:
    """`page` with `rendered` between the marks; raises `ValueError` if they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/benchmarks.md lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{rendered}\n{END}{after}"


def main() -> int:
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in DIRECTORY.glob("*.json")]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(page, table(latest(runs))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
