"""Reading the evidence that an incident was opened with; it is kept as JSON and may lack any part.

Members: `rules` (each with `when`, `evaluation.conditions`), `charts` by metric, `samples`, `candidate` and `stable`
(`{"release", "digest"}`), `weight_bp`, `step`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.core.http.links import page_url
from telemetry.metrics import CATALOGUE
from telemetry.metrics.base import Direction


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule as it is written, and what was measured, in sentences; the broken conditions first."""

    id: str
    when: str
    action: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceChart:
    """A metric's course before the incident, with the limit; those of broken conditions come first."""

    metric: str
    title: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One call that shows the harm: redacted texts, as text. `url` is the inference's page, empty where it has none."""

    url: str
    metric: str
    title: str
    variables: str
    output: str
    policy_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an incident page shows beside its timeline."""

    rules: tuple[BrokenRule, ...]
    charts: tuple[EvidenceChart, ...]
    samples: tuple[Sample, ...]
    candidate: str
    stable: str
    weight_bp: int | None
    step: int | None


def read_evidence(evidence: Mapping[str, Any]) -> Evidence:
    """The evidence as values; unknown or missing parts are left out."""
    rules = [rule for rule in evidence.get("rules", ()) if isinstance(rule, Mapping)]
    conditions = [condition for rule in rules for condition in _conditions(rule)]
    broken = {condition.get("metric") for condition in conditions if condition.get("verdict") == "fail"}
    charts = sorted(evidence.get("charts", {}).items(), key=lambda item: item[0] not in broken)
    return Evidence(
        rules=tuple(_rule(rule) for rule in rules),
        charts=tuple(_chart(name, data, conditions) for name, data in charts),
        samples=tuple(_sample(sample) for sample in evidence.get("samples", ())),
        candidate=str((evidence.get("candidate") or {}).get("release", "")),
        stable=str((evidence.get("stable") or {}).get("release", "")),
        weight_bp=evidence.get("weight_bp"),
        step=evidence.get("step"),
    )


def without_samples(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence for people who may not read inferences."""
    return {name: part for name, part in evidence.items() if name != "samples"}


def _conditions(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = list((rule.get("evaluation") or {}).get("conditions", ()))
    return sorted(found, key=lambda condition: condition.get("verdict") != "fail")


def _rule(rule: Mapping[str, Any]) -> BrokenRule:
    return BrokenRule(
        id=str(rule.get("id", "")),
        when=str(rule.get("when", "")),
        action=str(rule.get("action", "")),
        sentences=tuple(
            str(condition["sentence"]) for condition in _conditions(rule) if "sentence" in condition
        ),
    )


def _chart(name: str, data: Mapping[str, Any], conditions: list[Mapping[str, Any]]) -> EvidenceChart:
    metric = CATALOGUE.get(name)
    shown = dict(data)
    broken = next((c for c in conditions if c.get("metric") == name and c.get("limit") is not None), None)
    if broken is not None and "limit" not in shown:
        lower_is_better = metric is None or metric.direction is Direction.LOWER_IS_BETTER
        shown["limit"] = {
            "value": broken["limit"],
            "label": "Limit",
            "breach": "above" if lower_is_better else "below",
        }
        if shown.get("x") and broken.get("window_s"):
            end = shown["x"][-1] + 60
            shown["window"] = {
                "from": end - broken["window_s"],
                "to": end,
                "label": f"for {max(broken['window_s'] // 60, 1)} min",
            }
    return EvidenceChart(metric=name, title=metric.title if metric else name, data=shown)


def _sample(sample: Mapping[str, Any]) -> Sample:
    name = str(sample.get("metric", ""))
    variables = sample.get("variables")
    return Sample(
        url=page_url("telemetry:inference_detail", str(sample.get("id", ""))),
        metric=name,
        title=CATALOGUE[name].title if name in CATALOGUE else name,
        variables=""
        if variables is None
        else json.dumps(variables, indent=2, ensure_ascii=False, sort_keys=True),
        output=str(sample.get("output") or ""),
        policy_reasons=tuple(str(reason) for reason in sample.get("policy_reasons", ())),
    )
