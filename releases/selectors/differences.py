"""How a proposed release differs from what is live: in words first, then text by text, then in tokens and money."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from registry.estimates import cost_of_call
from registry.models import ModelVersion, PromptVersion, ServingConfigVersion
from registry.rendering.diff import Segment, SegmentKind, diff_specs, diff_texts
from registry.rendering.spec import PromptSpec
from releases import manifests
from releases.models import Release


@dataclass(frozen=True)
class TextDiff:
    """The difference of one part: `segments` turn the live text into the proposed one."""

    label: str
    segments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Difference:
    """In words first, then part by part, then what a typical call takes before and after."""

    sentences: tuple[str, ...]
    texts: tuple[TextDiff, ...]
    before: CallEstimate | None
    after: CallEstimate | None

    @property
    def token_delta(self) -> int | None:
        """Input tokens more (or fewer) than what is live takes."""
        return self.after.input_tokens - self.before.input_tokens if self.before and self.after else None

    @property
    def cost_delta_nanos_per_1k(self) -> int | None:
        """Nano-dollars for 1,000 calls more (or fewer) than what is live costs; `None` where a price is unknown."""
        if not self.before or not self.after:
            return None
        old, new = self.before.cost_nanos_per_1k, self.after.cost_nanos_per_1k
        return None if old is None or new is None else new - old


def compare(project_id: UUID, live: Release | None, proposed: Mapping[str, Any]) -> Difference:
    """How a manifest differs from what is live. Pins that cannot be found any more are left out of the texts."""
    before = live.manifest if live else None
    rows = manifests.differences(before, proposed)
    texts: list[TextDiff] = []
    for row in rows:
        texts += _texts(project_id, row)
    return Difference(
        sentences=tuple(sentence(row) for row in rows),
        texts=tuple(texts),
        before=estimate_call(project_id, before) if before else None,
        after=estimate_call(project_id, proposed),
    )


_NOUNS = {"prompt": "Prompt {name}", "model": "Model for the role {name}", "config": "Serving config {name}"}


def sentence(row: Mapping[str, str]) -> str:
    """“Prompt assistant 1.0.0 → 1.1.0.”"""
    noun = _NOUNS[row["kind"]].format(name=row["name"])
    if not row["from"]:
        return f"{noun} is new: {row['to']}."
    if not row["to"]:
        return f"{noun} is taken out (was {row['from']})."
    return f"{noun} {row['from']} → {row['to']}."


def _texts(project_id: UUID, row: Mapping[str, str]) -> list[TextDiff]:
    if row["kind"] == "prompt":
        return _prompt_texts(project_id, row)
    if row["kind"] == "model":
        old = _model_json(project_id, row["from"]) if row["from"] else ""
        new = _model_json(project_id, row["to"]) if row["to"] else ""
        return [json_diff(f"Model for {row['name']}", old, new)]
    old = _config_json(project_id, row["name"], row["from"])
    return [json_diff(f"Serving config {row['name']}", old, _config_json(project_id, row["name"], row["to"]))]


def json_diff(label: str, old: str, new: str) -> TextDiff:
    """The difference of two JSON texts."""
    return TextDiff(label=label, segments=_pairs(diff_texts(old, new)))


def _prompt_texts(project_id: UUID, row: Mapping[str, str]) -> list[TextDiff]:
    bodies = dict(
        PromptVersion.objects.filter(
            project_id=project_id, prompt__name=row["name"], version__in=[row["from"], row["to"]]
        ).values_list("version", "body")
    )
    empty = {"messages": [{"role": "system", "content": ""}]}
    if row["to"] not in bodies and row["from"] not in bodies:
        return []
    found = diff_specs(
        PromptSpec.from_dict(bodies.get(row["from"], empty)),
        PromptSpec.from_dict(bodies.get(row["to"], empty)),
    )
    texts = [
        TextDiff(
            label=f"{row['name']} · {message.new_role or message.old_role} message",
            segments=_pairs(message.segments),
        )
        for message in found.messages
        if message.changed
    ]
    parts = (
        ("input schema", found.input_schema),
        ("output schema", found.output_schema),
        ("tools", found.tools),
        ("parameters", found.params),
    )
    return texts + [
        TextDiff(label=f"{row['name']} · {name}", segments=_pairs(segments))
        for name, segments in parts
        if any(segment.kind is not SegmentKind.EQUAL for segment in segments)
    ]


def _pairs(segments: Sequence[Segment]) -> tuple[tuple[str, str], ...]:
    return tuple((segment.kind.value, segment.text) for segment in segments)


_MODEL_FIELDS = (
    "kind",
    "provider",
    "provider_model_id",
    "checksum",
    "weights",
    "tokenizer",
    "runtime",
    "params",
    "price",
    "context_tokens",
)


def _model_json(project_id: UUID, reference: str) -> str:
    name, _, version = reference.partition("@")
    row = (
        ModelVersion.objects.filter(project_id=project_id, model__name=name, version=version)
        .values(*_MODEL_FIELDS)
        .first()
    )
    return _json({"entry": reference, **row}) if row else ""


def _config_json(project_id: UUID, name: str, version: str) -> str:
    rows = ServingConfigVersion.objects.filter(project_id=project_id, config__name=name, version=version)
    body = rows.values_list("body", flat=True).first()
    return _json(body) if body is not None else ""


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class CallEstimate:
    """A typical call of a manifest's primary prompt with its primary model; `cost_nanos_per_1k` is `None` without a price."""

    input_tokens: int
    cost_nanos_per_1k: int | None


def estimate_call(project_id: UUID, manifest: Mapping[str, Any]) -> CallEstimate | None:
    """Tokens as counted when the version was published, priced as the model's entry or the public list says."""
    version = next((p["version"] for p in manifest["prompts"] if p["name"] == manifest["primary"]), None)
    prompt = PromptVersion.objects.filter(
        project_id=project_id, prompt__name=manifest["primary"], version=version
    ).first()
    tokens = prompt.token_counts.get("typical") if prompt else None
    if prompt is None or tokens is None:
        return None
    pin = manifest["models"].get("primary") or {}
    model = ModelVersion.objects.filter(
        project_id=project_id, model__name=pin.get("name"), version=pin.get("version")
    ).first()
    cost = model and cost_of_call(
        PromptSpec.from_dict(prompt.body),
        input_tokens=tokens,
        price=model.price,
        provider=model.provider,
        model_id=model.provider_model_id,
    )
    return CallEstimate(
        input_tokens=tokens, cost_nanos_per_1k=cost.estimate.per_1000_calls_nanos if cost else None
    )
