"""A release in the registry, on a scripted endpoint, as the subject of a gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evals.gates.base import GateSubject
from promptstore.core.digests import digest_json
from registry import documents
from registry.content import Kind, artifact_digest
from registry.models import (
    Endpoint,
    LanguageModel,
    ModelVersion,
    Prompt,
    PromptVersion,
    ServingConfig,
    ServingConfigVersion,
)
from registry.rendering.spec import PromptSpec
from tests.cast import Cast

ANSWER_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
PROMPT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Answer questions about configuration entries."},
        {"role": "user", "content": "{{ question }}"},
    ],
    "input_schema": {
        "type": "object",
        "properties": {"question": {"type": "string", "minLength": 3}},
        "required": ["question"],
        "additionalProperties": False,
    },
    "output_schema": ANSWER_SCHEMA,
    "tools": [],
    "params": {"temperature": 0.2, "max_tokens": 200, "response_format": "json_schema"},
}
CONFIG: dict[str, Any] = {
    "on_withdraw": "stable",
    "limits": {"max_output_tokens": 150, "timeout_ms": 2_000},
    "safe_mode": {"kind": "template", "template": "Please look it up in the manual."},
    "policy": {
        "mode": "buffer",
        "banned": [{"id": "secret", "pattern": "launch code"}],
        "message": "Withheld.",
    },
}
GOOD = '{"answer": "so"}'
EXAMPLES = [
    {"name": f"Example {n}", "variables": {"question": f"What does entry {n} do?"}} for n in (1, 2, 3)
]


def make_prompt(
    cast: Cast, body: dict[str, Any], examples: list[dict[str, Any]], *, name: str = "suggest"
) -> PromptVersion:
    content = PromptSpec.from_dict(body).to_dict()
    return PromptVersion.objects.create(
        project=cast.project,
        prompt=Prompt.objects.create(project=cast.project, name=name),
        version="1.0.0",
        version_order="1",
        digest=artifact_digest(kind=Kind.PROMPT, name=name, version="1.0.0", body=content),
        body=content,
        example_inputs=examples,
    )


def make_model(cast: Cast, base_url: str, **columns: Any) -> ModelVersion:
    endpoint = Endpoint.objects.create(
        project=cast.project, name="local", protocol="openai_http", base_url=base_url, allow_private=True
    )
    row = ModelVersion(
        project=cast.project,
        model=LanguageModel.objects.create(project=cast.project, name="smollm2"),
        version="1.0.0",
        version_order="1",
        kind="self_hosted",
        provider="local",
        provider_model_id="smollm2-135m",
        endpoint=endpoint,
        **{"context_tokens": 2048, "params": {"temperature": 0.7, "top_p": 0.9}, **columns},
    )
    row.digest = artifact_digest(
        kind=Kind.MODEL, name="smollm2", version="1.0.0", body=documents.content_of(row)
    )
    row.save(force_insert=True)
    return row


def make_config(cast: Cast, body: dict[str, Any]) -> ServingConfigVersion:
    return ServingConfigVersion.objects.create(
        project=cast.project,
        config=ServingConfig.objects.create(project=cast.project, name="default"),
        version="1.0.0",
        version_order="1",
        digest=artifact_digest(kind=Kind.CONFIG, name="default", version="1.0.0", body=body),
        body=body,
    )


def subject_of(
    cast: Cast,
    *,
    base_url: str = "http://127.0.0.1:9/v1",
    prompt: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    examples: list[dict[str, Any]] | None = None,
    **model: Any,
) -> GateSubject:
    """The subject for a release of one prompt; what is given replaces members of `PROMPT` and `CONFIG`."""
    kept = make_prompt(cast, PROMPT | (prompt or {}), EXAMPLES if examples is None else examples)
    entry = make_model(cast, base_url, **model)
    settings = make_config(cast, CONFIG | (config or {}))
    manifest = {
        "format": 1,
        "feature": "config-assistant",
        "version": "1.1.0",
        "primary": "suggest",
        "prompts": [{"name": "suggest", "version": "1.0.0", "digest": kept.digest}],
        "models": {"primary": {"name": "smollm2", "version": "1.0.0", "digest": entry.digest}},
        "config": {"name": "default", "version": "1.0.0", "digest": settings.digest},
    }
    digest = digest_json(manifest)
    return GateSubject(
        project_id=cast.project.pk,
        release_digest=digest,
        release=documents.resolve(cast.project.pk, manifest, digest),
        environment="staging",
    )


def altered(subject: GateSubject, *path: str, value: Any) -> GateSubject:
    """The subject with one member of its document replaced, as if somebody had tampered with it."""
    import copy

    release = copy.deepcopy(dict(subject.release))
    at = release
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return replace(subject, release=release)


def rows(report: Any) -> dict[str, str]:
    """Verdicts by check id."""
    return {row["id"]: row["verdict"] for row in report.body["checks"]}


def row(report: Any, check_id: str) -> dict[str, Any]:
    """One row of the report."""
    found: dict[str, Any] = next(one for one in report.body["checks"] if one["id"] == check_id)
    return found
