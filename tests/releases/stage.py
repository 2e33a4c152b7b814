"""A project with something to release: prompt, model, config, feature, policies, and the steps of a promotion's life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from evals.models import GateReport
from promptstore.core import clock
from promptstore.core.actors import system
from promptstore.core.digests import digest_json
from promptstore.core.models import Environment
from registry.models import Endpoint, Feature, PromptDraft
from registry.services.configs import publish_config_version
from registry.services.drafts import save_draft
from registry.services.features import create_feature
from registry.services.models import register_model_version
from registry.services.prompts import create_prompt
from registry.services.publishing import publish_version
from releases import services
from releases.models import Deployment, Evidence, Promotion, Release, Rollout
from releases.services.moves import move_promotion
from stats.histogram import LogHistogram
from telemetry.models import Rollup
from tests.cast import Cast

PLAN = {
    "steps": [
        {"weight_bp": 200, "min_duration_s": 600, "min_samples": 200},
        {"weight_bp": 1000, "min_duration_s": 600, "min_samples": 400},
        {"weight_bp": 5000, "min_duration_s": 600, "min_samples": 600},
        {"weight_bp": 10000, "min_duration_s": 600, "min_samples": 800},
    ]
}
RULES = [
    {
        "id": "policy-hits",
        "when": "policy_filter_rate > 0.5% for 10m",
        "severity": "P1",
        "action": "step",
        "min_samples": 100,
    },
    {
        "id": "correctness",
        "when": "output_valid_rate worse than baseline by 5pp for 10m",
        "severity": "P2",
        "action": "step",
        "min_samples": 100,
    },
    {
        "id": "latency",
        "when": "p95_latency_ms worse than baseline by 50% for 10m",
        "severity": "P2",
        "action": "step",
        "min_samples": 100,
    },
    {
        "id": "errors",
        "when": "error_rate > 10% for 5m",
        "severity": "P1",
        "action": "cut",
        "min_samples": 50,
    },
    {
        "id": "cost",
        "when": "cost_per_1k_requests_usd worse than baseline by 50% for 10m",
        "severity": "P3",
        "action": "hold",
        "min_samples": 100,
    },
]
PRODUCTION = {
    "gates": ["static", "smoke"],
    "quorum": 1,
    "requires_live_in": None,
    "plan": PLAN,
    "rules": RULES,
    "rollback_interval_s": 300,
    "note": "Minutes stand for days.",
}
STAGING: dict[str, Any] = {"gates": ["static"], "quorum": 0, "plan": None, "rules": []}
CONFIG = {
    "on_withdraw": "safe_mode",
    "safe_mode": {"kind": "template", "template": "Please try again in a moment."},
    "policy": {"mode": "buffer", "banned": [{"id": "secret", "pattern": "password"}]},
}


def body(text: str) -> dict[str, Any]:
    """A prompt that says `text` and takes a question."""
    return {
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": "{{ question }}"},
        ],
        "input_schema": {
            "type": "object",
            "properties": {"question": {"type": "string", "maxLength": 2000}},
            "required": ["question"],
        },
        "output_schema": {
            "type": "object",
            "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
            "required": ["key", "value"],
        },
    }


@dataclass(frozen=True)
class Stage:
    """`first` is release 1.0.0, live in production; `second` is 1.1.0 with a prompt that `writer` wrote, composed by `engineer`."""

    cast: Cast
    feature: Feature
    first: Release
    second: Release
    production: Deployment

    def request(self, *, by: str = "engineer", to: str = "production") -> Promotion:
        """A promotion of `second`, whose checks have begun."""
        environment: Environment = getattr(self.cast, to)
        return services.request_promotion(
            actor=self.cast.actor(by),
            project_id=self.cast.project.pk,
            release_id=self.second.pk,
            environment_id=environment.pk,
            reason="Shorter answers.",
        )

    def waiting(self) -> Promotion:
        """A promotion whose gates have passed."""
        return conclude_checks(self.request(), "pass")

    def approve(self, promotion: Promotion, *, by: str = "approver") -> Promotion:
        """One vote on what is current."""
        evidence = promotion.evidence.get(check_round=promotion.check_round)
        return services.approve_promotion(
            actor=self.cast.actor(by),
            project_id=self.cast.project.pk,
            promotion_id=promotion.pk,
            release_digest=promotion.release.digest,
            evidence_digest=evidence.digest,
            comment="Reads well.",
        )

    def rolling(self) -> Rollout:
        """A running rollout at its canary."""
        promotion = self.approve(self.waiting())
        services.start_promotion(promotion_id=promotion.pk)
        return Rollout.objects.get(promotion=promotion)


@transaction.atomic
def conclude_checks(promotion: Promotion, verdict: str) -> Promotion:
    """End the current round of checks with reports of the policy's gates, as the worker does."""
    promotion.refresh_from_db()
    rows = []
    for gate in promotion.policy.body["gates"]:
        document = {
            "format": 1,
            "gate": gate,
            "title": gate.capitalize(),
            "verdict": verdict,
            "summary": {verdict: 1},
            "checks": [],
            "cases": [],
            "round": promotion.check_round,
            "promotion": str(promotion.pk),
        }
        report = GateReport.objects.create(
            project_id=promotion.project_id,
            gate=gate,
            release_digest=promotion.release.digest,
            verdict=verdict,
            body=document,
            digest=digest_json(document),
        )
        rows.append({"gate": gate, "verdict": verdict, "digest": report.digest})
    Evidence.objects.create(
        project_id=promotion.project_id,
        promotion=promotion,
        check_round=promotion.check_round,
        verdict=verdict,
        reports=rows,
        digest=digest_json({"round": promotion.check_round, "reports": rows, "verdict": verdict}),
    )
    action = "checks_passed" if verdict == "pass" else "checks_failed"
    outcome = "" if verdict == "pass" else "The smoke gate did not pass."
    move_promotion(system("checks"), promotion, action, outcome=outcome)
    return promotion


def set_stage(cast: Cast) -> Stage:
    """Everything that a release needs, with 1.0.0 adopted in production."""
    project_id = cast.project.pk
    engineer, writer, owner = (cast.actor(role) for role in ("engineer", "writer", "owner"))
    feature = create_feature(
        actor=engineer, project_id=project_id, slug="config-assistant", name="Config assistant"
    )
    prompt = create_prompt(
        actor=engineer, project_id=project_id, name="assistant", body=body("Suggest one configuration entry.")
    )
    draft = PromptDraft.objects.get(prompt=prompt)
    publish_version(actor=engineer, draft_id=draft.pk, revision=draft.revision, changelog="First.")
    draft = save_draft(
        actor=writer,
        draft_id=draft.pk,
        revision=draft.revision,
        body=body("Suggest one configuration entry. Answer in one short line."),
    )
    publish_version(actor=writer, draft_id=draft.pk, revision=draft.revision, changelog="Shorter answers.")
    Endpoint.objects.create(
        project_id=project_id, name="local", protocol="openai", base_url="http://127.0.0.1:9/v1", allow_private=True
    )
    register_model_version(
        actor=engineer,
        project_id=project_id,
        name="small",
        version="1.0.0",
        entry={
            "kind": "hosted",
            "provider": "local",
            "provider_model_id": "small-2026-01-15",
            "endpoint": "local",
            "snapshot_at": "2026-01-15T00:00:00Z",
            "price": {"input_nanos_per_mtok": 150_000_000, "output_nanos_per_mtok": 600_000_000},
        },
    )
    config = publish_config_version(actor=engineer, project_id=project_id, name="serving", body=CONFIG)
    for environment, policy in ((cast.staging, STAGING), (cast.production, PRODUCTION)):
        services.change_policy(actor=owner, project_id=project_id, environment_id=environment.pk, body=policy)
    versions = prompt.versions.order_by("version_order").values_list("version", flat=True)
    first, second = (
        services.compose_release(
            actor=engineer,
            project_id=project_id,
            feature=feature.slug,
            prompts={"assistant": version},
            models={"primary": "small@1.0.0"},
            config=f"serving@{config.version}",
        )
        for version in versions
    )
    production = Deployment.objects.create(project_id=project_id, feature=feature, environment=cast.production)
    services.adopt_release(
        actor=system("set-up"), deployment_id=production.pk, release_id=first.pk, reason="Served already."
    )
    production.refresh_from_db()
    return Stage(cast=cast, feature=feature, first=first, second=second, production=production)


def traffic(
    rollout: Rollout,
    *,
    minutes: int,
    candidate: int = 40,
    stable: int = 400,
    policy_share: float = 0.0,
    latency_ms: float = 420.0,
) -> None:
    """Rollups of both arms for the `minutes` before now; `policy_share` of the candidate's calls hit the filter."""
    now = clock.now().replace(second=0, microsecond=0)
    rows = []
    for minute in range(minutes):
        for arm, release, count, share in (
            ("candidate", rollout.candidate, candidate, policy_share),
            ("stable", rollout.baseline, stable, 0.001),
        ):
            if release is None:
                continue
            histogram = LogHistogram.of(latency_ms * (0.7 + 0.6 * i / count) for i in range(count))
            rows.append(
                Rollup(
                    project_id=rollout.project_id,
                    environment_id=rollout.deployment.environment_id,
                    feature=rollout.deployment.feature.slug,
                    rollout_id=rollout.pk,
                    release_digest=release.digest,
                    arm=arm,
                    minute=now - timedelta(minutes=minute),
                    count=count,
                    policy_hits=round(count * share),
                    validated=count,
                    valid=count - count // 50,
                    input_tokens=count * 180,
                    output_tokens=count * 40,
                    cost_usd_nanos=count * 51_000,
                    latency_histogram=histogram.to_json(),
                )
            )
    Rollup.objects.bulk_create(rows)
