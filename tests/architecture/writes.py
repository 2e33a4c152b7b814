"""The smallest call of every service that writes, and what it leaves in the audit log. A new service gets a row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from promptstore.console.audit.selectors import AuditFilter
from promptstore.console.audit.services import export_events
from promptstore.core import clock, keys
from promptstore.core.actors import Actor, system
from promptstore.core.audit import verifications
from registry.models import Endpoint
from registry.services import configs, drafts, endpoints, features, lint_policies, models, prompts, publishing
from releases import services as releases
from releases.models import Deployment, Release, Rollout
from releases.services.restoring import hold_after_restore
from tests.architecture import (
    dataset_writes,
    incident_writes,
    probe_writes,
    review_writes,
    scan_writes,
    suite_writes,
)
from tests.architecture.write_cases import REASON, Act, Case, acting
from tests.world import CONFIG_BODY, PLAN, PROMPT_BODY, World, production_policy


@dataclass(frozen=True)
class Along:
    """A call that moves more than one row of a state machine: every move is an event of its own."""

    actions: tuple[str, ...]
    why: str


ALONG: dict[str, Along] = {
    "releases.services.promotions.request_promotion": Along(
        ("promotion.requested", "promotion.check_started"), "the product begins the first round of checks at once"
    ),
    "releases.services.checks.finish_checks": Along(
        ("dataset.frozen", "promotion.checks_passed"), "the danger set is frozen where its cases are new"
    ),
    "releases.services.starting.start_promotion": Along(
        ("promotion.started", "rollout.started"), "the promotion starts, and so does its rollout"
    ),
    "releases.services.votes.approve_promotion": Along(
        ("promotion.vote_cast", "promotion.approved"), "this vote completes the quorum"
    ),
    "reviews.services.labels.submit_label": Along(
        ("review.labelled", "review.settled"), "the only label that was wanted settles the item"
    ),
}  # fmt: skip

# Services that write and leave no event (architecture.md: autosaves, leases and heartbeats), each with the reason.
EXEMPT: dict[str, str] = {
    "registry.services.drafts.save_draft": "drafts save themselves every few seconds; publishing is recorded",
    "evals.services.probes.request_due_probes": "the timetable asks; every run that comes of it is recorded",
    "evals.services.gates.run_gate": "keeps a report under its digest; the promotion's event names that digest",
    "serving.services.seal_credentials": "copies what endpoint events recorded to nodes, under the nodes' keys",
    "incidents.services.deliveries.send_delivery": "attempts of a message, which keeps its own record of them",
    "incidents.services.restoring.give_up_pending": "part of a restore, whose own event is in each project's log",
    "incidents.services.deliveries.send_due": "attempts of messages, which keep their own record of them",
    "incidents.services.people.tell_of_incident": "messages about an event that was recorded",
    "reviews.services.claims.claim_next": "a lease; what is said under it is recorded",
    "reviews.services.claims.heartbeat": "extends a lease",
    "reviews.services.claims.expire_leases": "ends leases",
    "reviews.services.samples.enqueue_samples": "copies of inferences, which are their own record; labels are recorded",
    "releases.services.audiences.tell_of_promotion": "messages about a move that was recorded",
    "releases.services.audiences.tell_of_rollout": "messages about a move that was recorded",
}


def _draft(world: World) -> dict[str, Any]:
    draft = world.prompt.drafts.get(name="main")
    return {"actor": world.cast.actor("writer"), "draft_id": draft.id, "revision": draft.revision}


def _publish(world: World) -> Act:
    draft = _draft(world)
    body = {**PROMPT_BODY, "params": {"temperature": 0, "max_tokens": 40}}
    saved = drafts.save_draft(**draft, body=body)
    return lambda: publishing.publish_version(**{**draft, "revision": saved.revision})


def _model(world: World) -> Act:
    entry = {
        "kind": "hosted", "provider": "scripted", "provider_model_id": "scripted-2026-02-01", "endpoint": "scripted",
        "snapshot_at": "2026-02-01T00:00:00Z", "context_tokens": 4_096,
        "price": {"input_nanos_per_mtok": 1, "output_nanos_per_mtok": 1},
    }  # fmt: skip
    return lambda: models.register_model_version(
        **acting(world, "engineer", name="large", version="1.0.0", entry=entry)
    )


def _endpoint(world: World) -> dict[str, Any]:
    return {"actor": world.cast.actor("engineer"), "endpoint_id": Endpoint.objects.get(name="scripted").id}


def _create_endpoint(world: World) -> Act:
    fields = {"protocol": "openai_http", "base_url": world.provider.base_url, "allow_private": True}
    return lambda: endpoints.create_endpoint(**acting(world, "engineer", name="second", **fields))


def _feature(world: World, role: str) -> dict[str, Any]:
    return {"actor": world.cast.actor(role), "feature_id": world.feature.id}


def _dismiss(world: World) -> Act:
    fields = _feature(world, "owner") | {"user_id": world.cast.users["approver"].id}
    features.appoint_approver(**fields)
    return lambda: features.dismiss_approver(**fields)


def _restore(world: World) -> Act:
    fields: dict[str, Any] = {"actor": world.cast.actor("engineer"), "prompt_id": world.prompt.id}
    prompts.archive_prompt(**fields, reason=REASON)
    return lambda: prompts.restore_prompt(**fields)


def _withdraw(world: World) -> Act:
    version = world.publish()
    engineer = world.cast.actor("engineer")
    return lambda: publishing.withdraw_version(actor=engineer, version_id=version.id, reason=REASON)


def _compose(world: World) -> Act:
    version = world.publish()
    return lambda: world.compose(version)


def _request(world: World) -> Act:
    release = world.compose()
    return lambda: world.request(release)


def _promotion(call: Callable[..., Any], role: str, **fields: Any) -> Case:
    def case(world: World) -> Act:
        promotion = world.request()
        return lambda: call(**acting(world, role, promotion_id=promotion.id, **fields))

    return case


def _recheck(world: World) -> Act:
    promotion = world.check(world.request())
    return lambda: releases.recheck_promotion(**acting(world, "engineer", promotion_id=promotion.id))


def _finish_checks(world: World) -> Act:
    promotion = world.request()
    return lambda: world.check(promotion)


def _approve(world: World) -> Act:
    promotion = world.check(world.request())
    return lambda: world.approve(promotion)


def _reject(world: World) -> Act:
    promotion = world.check(world.request())
    return lambda: releases.reject_promotion(
        **acting(world, "approver", promotion_id=promotion.id, reason=REASON)
    )


def _start_promotion(world: World) -> Act:
    promotion = world.check(world.request())
    world.approve(promotion)
    return lambda: releases.start_promotion(promotion_id=promotion.id)


def _expire(world: World) -> Act:
    promotion = world.request()
    promotion.expires_at = clock.now() - timedelta(seconds=1)
    promotion.save(update_fields=["expires_at"])
    return releases.expire_promotions


def _rollout(call: Callable[..., Any], **fields: Any) -> Case:
    def case(world: World) -> Act:
        rollout = world.roll_out()
        return lambda: call(**acting(world, "operator", rollout_id=rollout.id, **fields))

    return case


def _resume(world: World) -> Act:
    fields = acting(world, "operator", rollout_id=world.roll_out().id)
    releases.pause_rollout(**fields, reason=REASON)
    return lambda: releases.resume_rollout(**fields)


def _advance(world: World) -> Act:
    rollout = world.roll_out()
    Rollout.objects.filter(pk=rollout.id).update(step_index=2)  # the canary has met its minimum
    return lambda: releases.advance_rollout(
        **acting(world, "operator", rollout_id=rollout.id, expected_step=2, reason=REASON)
    )


def _hold(world: World) -> Act:
    world.roll_out()
    return lambda: hold_after_restore(
        actor=system("restore"), project_id=world.cast.project.id, reason=REASON
    )


def _start_rollout(world: World) -> Act:
    rollout = world.roll_out()
    Rollout.objects.filter(pk=rollout.id).update(state="pending")
    return lambda: releases.start_rollout(**acting(world, "operator", rollout_id=rollout.id))


def _return(world: World) -> Act:
    deployment, before = world.production, world.production.stable_release
    assert before is not None
    Deployment.objects.filter(pk=deployment.pk).update(stable_release=world.compose())
    fields = {"deployment_id": deployment.id, "release_id": before.id, "reason": REASON}
    return lambda: releases.return_to_release(**acting(world, "operator", **fields))


def _adopt(world: World) -> Act:
    release = Release.objects.get(feature=world.feature)
    other = world.cast.production
    other.pk, other.slug, other.name, other.position = None, "canary", "Canary", 2
    other._state.adding = True
    other.id = type(other)._meta.pk.get_default()
    other.save()
    place = Deployment.objects.create(project=world.cast.project, feature=world.feature, environment=other)
    return lambda: releases.adopt_release(
        actor=system("setup"), deployment_id=place.id, release_id=release.id, reason=REASON
    )


def _service_key(world: World) -> Act:
    actor: Actor = world.cast.actor("owner")
    return lambda: keys.create_service_key(
        actor=actor, environment=world.cast.production, name="shop", scopes=["serve"]
    )


def _revoke(world: World) -> Act:
    key, _secret = keys.create_personal_token(**acting(world, "writer", name="laptop"))
    return lambda: keys.revoke_key(**acting(world, "writer", key_id=key.id))


CASES: dict[str, Case] = {
    "promptstore.console.audit.services.export_events": lambda w: lambda: export_events(
        **acting(w, "auditor", wanted=AuditFilter(), ending="csv")
    ),
    "promptstore.core.audit.verifications.start_verification": lambda w: lambda: verifications.start_verification(
        **acting(w, "auditor")
    ),
    "promptstore.core.keys.create_service_key": _service_key,
    "promptstore.core.keys.create_personal_token": lambda w: lambda: keys.create_personal_token(
        **acting(w, "writer", name="laptop")
    ),
    "promptstore.core.keys.revoke_key": _revoke,
    "registry.services.configs.publish_config_version": lambda w: lambda: configs.publish_config_version(
        **acting(w, "engineer", name="calm", body=CONFIG_BODY)
    ),
    "registry.services.drafts.reopen_draft": lambda w: lambda: drafts.reopen_draft(
        **_draft(w), version="1.0.0"
    ),
    "registry.services.endpoints.create_endpoint": _create_endpoint,
    "registry.services.endpoints.update_endpoint": lambda w: lambda: endpoints.update_endpoint(
        **_endpoint(w), revision=1, api_key="sk-another-key"
    ),
    "registry.services.endpoints.check_endpoint": lambda w: lambda: endpoints.check_endpoint(**_endpoint(w)),
    "registry.services.features.create_feature": lambda w: lambda: features.create_feature(
        **acting(w, "owner", slug="other", name="Other")
    ),
    "registry.services.features.update_feature": lambda w: lambda: features.update_feature(
        **_feature(w, "owner"), name="Renamed", description="", risk_class="high", owner_id=None
    ),
    "registry.services.features.appoint_approver": lambda w: lambda: features.appoint_approver(
        **_feature(w, "owner"), user_id=w.cast.users["approver"].id
    ),
    "registry.services.features.dismiss_approver": _dismiss,
    "registry.services.lint_policies.set_lint_policy": lambda w: lambda: lint_policies.set_lint_policy(
        **acting(w, "owner", revision=0, token_budget=500, banned_topics=[])
    ),
    "registry.services.models.register_model_version": _model,
    "registry.services.prompts.create_prompt": lambda w: lambda: prompts.create_prompt(
        **acting(w, "writer", name="another")
    ),
    "registry.services.prompts.archive_prompt": lambda w: lambda: prompts.archive_prompt(
        actor=w.cast.actor("engineer"), prompt_id=w.prompt.id, reason=REASON
    ),
    "registry.services.prompts.restore_prompt": _restore,
    "registry.services.publishing.publish_version": _publish,
    "registry.services.publishing.withdraw_version": _withdraw,
    **dataset_writes.CASES,
    **incident_writes.CASES,
    **probe_writes.CASES,
    **review_writes.CASES,
    **scan_writes.CASES,
    **suite_writes.CASES,
    "releases.services.deployments.return_to_release": _return,
    "releases.services.deployments.adopt_release": _adopt,
    "releases.services.policies.change_policy": lambda w: lambda: releases.change_policy(
        **acting(w, "owner", environment_id=w.cast.production.id, body=production_policy(quorum=2))
    ),
    "releases.services.promotions.request_promotion": _request,
    "releases.services.promotions.change_plan": _promotion(
        releases.change_plan,
        "engineer",
        plan={"steps": [PLAN["steps"][0], {**PLAN["steps"][1], "weight_bp": 100}, *PLAN["steps"][2:]]},
        reason=REASON,
    ),
    "releases.services.promotions.recheck_promotion": _recheck,
    "releases.services.promotions.cancel_promotion": _promotion(
        releases.cancel_promotion, "engineer", reason=REASON
    ),
    "releases.services.bundles.make_bundle": lambda w: lambda: releases.make_bundle(
        **acting(w, "auditor", release_id=Release.objects.get(feature=w.feature).id)
    ),
    "releases.services.checks.finish_checks": _finish_checks,
    "releases.services.starting.start_promotion": _start_promotion,
    "releases.services.starting.expire_promotions": _expire,
    "releases.services.releases.compose_release": _compose,
    "releases.services.restoring.hold_after_restore": _hold,
    "releases.services.rollouts.start_rollout": _start_rollout,
    "releases.services.rollouts.pause_rollout": _rollout(releases.pause_rollout, reason=REASON),
    "releases.services.rollouts.resume_rollout": _resume,
    "releases.services.rollouts.advance_rollout": _advance,
    "releases.services.rollouts.roll_back": _rollout(releases.roll_back, reason=REASON),
    "releases.services.votes.approve_promotion": _approve,
    "releases.services.votes.reject_promotion": _reject,
}  # fmt: skip
