"""A small world to release in: a feature with a prompt, a model on a scripted provider, a config, policies, and release 1.0.0
live in staging and production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from promptstore.core.actors import system
from providers.scripted import ScriptedServer
from registry.models import Feature, Prompt, PromptVersion
from registry.services import configs, drafts, endpoints, features, models, prompts, publishing
from releases import services as releases
from releases.models import Deployment, Promotion, Release, Rollout
from releases.services.locks import lock_rollout
from releases.services.moves import move_rollout
from tests.cast import Cast

ANSWER = '{"key": "log_level", "value": "warning"}'

PROMPT_BODY: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Suggest one configuration entry as JSON."},
        {"role": "user", "content": "{{ request }}"},
    ],
    "input_schema": {
        "type": "object",
        "properties": {"request": {"type": "string", "maxLength": 400}},
        "required": ["request"],
        "additionalProperties": False,
    },
    "output_schema": {
        "type": "object",
        "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
        "required": ["key", "value"],
        "additionalProperties": False,
    },
    "params": {"temperature": 0, "max_tokens": 48},
}
CONFIG_BODY: dict[str, Any] = {
    "on_withdraw": "safe_mode",
    "limits": {"max_output_tokens": 64, "timeout_ms": 5_000, "rate_per_s": 1_000, "max_input_bytes": 65_536},
    "safe_mode": {"kind": "template", "template": "Suggestions are paused."},
    "policy": {
        "mode": "buffer",
        "banned": [{"id": "forbidden", "pattern": "forbidden-word"}],
        "message": "Withheld.",
    },
}
RULES: list[dict[str, Any]] = [
    {
        "id": "policy",
        "when": "policy_filter_rate > 10% for 2m",
        "severity": "P1",
        "action": "step",
        "min_samples": 10,
    },
    {
        "id": "valid",
        "when": "domain_accuracy < 80% for 2m",
        "severity": "P1",
        "action": "step",
        "min_samples": 10,
    },
    {
        "id": "latency",
        "when": "p95_latency_ms > 5s for 2m",
        "severity": "P2",
        "action": "step",
        "min_samples": 10,
    },
    {
        "id": "cost",
        "when": "cost_per_1k_requests_usd > 5usd for 2m",
        "severity": "P3",
        "action": "hold",
        "min_samples": 10,
    },
    {"id": "errors", "when": "error_rate > 30% for 1m", "severity": "P1", "action": "cut", "min_samples": 10},
]
GATES = ["static", "smoke"]
# What runs of it: no policy can leave the danger set out.
GATES_RUN = [*GATES, "danger"]
SHADOW: dict[str, Any] = {
    "kind": "shadow",
    "weight_bp": 0,
    "share_bp": 10_000,
    "min_duration_s": 300,
    "min_samples": 20,
    "pairs_bp": 5_000,
}
PLAN: dict[str, Any] = {
    "steps": [
        SHADOW,
        *(
            {"weight_bp": weight, "min_duration_s": 300, "min_samples": 20}
            for weight in (200, 1_000, 5_000, 10_000)
        ),
    ]
}


def production_policy(**changes: Any) -> dict[str, Any]:
    """The policy of production here, with `changes` on top."""
    return {
        "gates": GATES,
        "quorum": 1,
        "approver_roles": ["approver", "owner"],
        "requires_live_in": None,
        "plan": PLAN,
        "rules": RULES,
        "rollback_interval_s": 300,
        "expires_after_h": 72,
    } | changes


@dataclass
class World:
    cast: Cast
    provider: ScriptedServer
    feature: Feature
    prompt: Prompt

    @property
    def production(self) -> Deployment:
        return Deployment.objects.get(feature=self.feature, environment=self.cast.production)

    def publish(self, text: str = "", **body: Any) -> PromptVersion:
        """The writer edits the prompt's first message and publishes."""
        draft = self.prompt.drafts.get(name="main")
        text = text or f"Suggest one entry as JSON. Edit {draft.revision}."
        changed = {**draft.body, **body}
        changed["messages"] = [{"role": "system", "content": text}, *changed["messages"][1:]]
        writer = self.cast.actor("writer")
        draft = drafts.save_draft(actor=writer, draft_id=draft.id, revision=draft.revision, body=changed)
        return publishing.publish_version(
            actor=writer, draft_id=draft.id, revision=draft.revision, changelog="Edit."
        )

    def compose(self, version: PromptVersion | None = None, actor: str = "engineer") -> Release:
        """A release of the newest prompt version."""
        version = version or self.publish()
        return releases.compose_release(
            actor=self.cast.actor(actor),
            project_id=self.cast.project.id,
            feature=self.feature.slug,
            prompts={self.prompt.name: version.version},
            models={"primary": "small@1.0.0"},
            config="assistant@1.0.0",
        )

    def request(self, release: Release | None = None, actor: str = "engineer", **fields: Any) -> Promotion:
        """Ask for production; the checks have not run yet."""
        return releases.request_promotion(
            actor=self.cast.actor(actor),
            project_id=self.cast.project.id,
            release_id=(release or self.compose()).id,
            environment_id=self.cast.production.id,
            **fields,
        )

    def check(self, promotion: Promotion) -> Promotion:
        """What the worker does with the outbox row of the current round."""
        promotion.refresh_from_db()
        releases.finish_checks(promotion_id=promotion.id, check_round=promotion.check_round)
        promotion.refresh_from_db()
        return promotion

    def approve(self, promotion: Promotion, actor: str = "approver") -> Promotion:
        """Approve exactly what is on the table."""
        evidence = promotion.evidence.order_by("-check_round").first()
        assert evidence is not None
        return releases.approve_promotion(
            actor=self.cast.actor(actor),
            project_id=self.cast.project.id,
            promotion_id=promotion.id,
            release_digest=promotion.release.digest,
            evidence_digest=evidence.digest,
        )

    def roll_out(self, release: Release | None = None) -> Rollout:
        """A rollout at its canary: what it did in shadow is taken as seen."""
        rollout = self.shadow(release)
        with transaction.atomic():
            rollout = lock_rollout(rollout_id=rollout.id)
            canary = rollout.promotion.plan["steps"][1]["weight_bp"]
            move_rollout(system("controller"), rollout, "advance", weight_bp=canary, step_index=1)
        return Rollout.objects.get(pk=rollout.pk)

    def shadow(self, release: Release | None = None) -> Rollout:
        """A rollout at its first step, in shadow."""
        promotion = self.check(self.request(release))
        assert promotion.state == "awaiting_approval", promotion.outcome
        self.approve(promotion)
        releases.start_promotion(promotion_id=promotion.id)
        return Rollout.objects.get(promotion=promotion)


def make_world(cast: Cast, provider: ScriptedServer, **policy: Any) -> World:
    """Everything above, through the services that people use."""
    project = cast.project.id
    engineer, writer, owner = cast.actor("engineer"), cast.actor("writer"), cast.actor("owner")
    feature = features.create_feature(actor=owner, project_id=project, slug="assistant", name="Assistant")
    endpoints.create_endpoint(
        actor=engineer, project_id=project, name="scripted", protocol="openai_http", base_url=provider.base_url,
        allow_private=True,
    )  # fmt: skip
    models.register_model_version(
        actor=engineer, project_id=project, name="small", version="1.0.0",
        entry={
            "kind": "hosted", "provider": "scripted", "provider_model_id": "scripted-2026-01-01", "endpoint": "scripted",
            "snapshot_at": "2026-01-01T00:00:00Z", "context_tokens": 4_096,
            "price": {"input_nanos_per_mtok": 100_000_000, "output_nanos_per_mtok": 400_000_000},
        },
    )  # fmt: skip
    configs.publish_config_version(
        actor=engineer, project_id=project, name="assistant", version="1.0.0", body=CONFIG_BODY
    )
    prompt = prompts.create_prompt(
        actor=writer, project_id=project, name="assistant", body=PROMPT_BODY,
        example_inputs=[{"name": "logs", "variables": {"request": "Less noise in the logs."}}],
    )  # fmt: skip
    draft = prompt.drafts.get(name="main")
    first = publishing.publish_version(
        actor=writer, draft_id=draft.id, revision=draft.revision, version="1.0.0", changelog="First."
    )
    world = World(cast=cast, provider=provider, feature=feature, prompt=prompt)
    bodies: list[tuple[Any, Mapping[str, Any]]] = [
        (cast.staging, {"quorum": 0, "plan": None}),
        (cast.production, production_policy(**policy)),
    ]
    for environment, body in bodies:
        releases.change_policy(actor=owner, project_id=project, environment_id=environment.id, body=body)
    release = world.compose(first)
    for environment in (cast.staging, cast.production):
        deployment = Deployment.objects.create(project=cast.project, feature=feature, environment=environment)
        releases.adopt_release(
            actor=system("setup"), deployment_id=deployment.id, release_id=release.id, reason="Live before."
        )
    return world
