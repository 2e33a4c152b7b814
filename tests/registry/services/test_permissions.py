"""Every write of the registry asks the permission table, and a denied one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps

from promptstore.core.actors import Actor
from promptstore.core.errors import NotAllowed, NotFound
from promptstore.core.models import AuditEvent, OutboxMessage
from promptstore.core.permissions import TABLE, Role
from registry.models import Endpoint, Feature, PromptDraft, PromptVersion
from registry.services import configs, drafts, endpoints, features, lint_policies, models, prompts, publishing
from tests.cast import Cast
from tests.registry.conftest import CONFIG, HOSTED, says


@dataclass(frozen=True)
class World:
    """One of everything, so that each write has something to work on."""

    cast: Cast
    draft: PromptDraft
    version: PromptVersion
    endpoint: Endpoint
    feature: Feature


@pytest.fixture
def world(cast: Cast, draft: PromptDraft, endpoint: Endpoint) -> World:
    version = publishing.publish_version(actor=cast.actor("writer"), draft_id=draft.id, revision=1)
    draft = drafts.save_draft(
        actor=cast.actor("writer"), draft_id=draft.id, revision=1, body=says("Newer words.")
    )
    feature = features.create_feature(
        actor=cast.actor("engineer"), project_id=cast.project.id, slug="helper", name="Helper"
    )
    return World(cast, draft, version, endpoint, feature)


Call = Callable[[World, Actor], Any]

WRITES: dict[str, tuple[str, Call]] = {
    "create_prompt": (
        "prompt.edit",
        lambda w, a: prompts.create_prompt(actor=a, project_id=w.cast.project.id, name="fresh"),
    ),
    "archive_prompt": (
        "prompt.withdraw",
        lambda w, a: prompts.archive_prompt(actor=a, prompt_id=w.draft.prompt_id, reason="Old."),
    ),
    "save_draft": (
        "prompt.edit",
        lambda w, a: drafts.save_draft(
            actor=a, draft_id=w.draft.id, revision=w.draft.revision, body=says("More.")
        ),
    ),
    "reopen_draft": (
        "prompt.edit",
        lambda w, a: drafts.reopen_draft(
            actor=a, draft_id=w.draft.id, revision=w.draft.revision, version=w.version.version
        ),
    ),
    "publish_version": (
        "prompt.publish",
        lambda w, a: publishing.publish_version(actor=a, draft_id=w.draft.id, revision=w.draft.revision),
    ),
    "withdraw_version": (
        "prompt.withdraw",
        lambda w, a: publishing.withdraw_version(actor=a, version_id=w.version.id, reason="Wrong."),
    ),
    "register_model_version": (
        "model.register",
        lambda w, a: models.register_model_version(
            actor=a, project_id=w.cast.project.id, name="assistant", version="1.0.0", entry=HOSTED
        ),
    ),
    "create_endpoint": (
        "endpoint.manage",
        lambda w, a: endpoints.create_endpoint(
            actor=a,
            project_id=w.cast.project.id,
            name="second",
            protocol="openai_http",
            base_url=w.endpoint.base_url,
            allow_private=True,
        ),
    ),
    "update_endpoint": (
        "endpoint.manage",
        lambda w, a: endpoints.update_endpoint(
            actor=a, endpoint_id=w.endpoint.id, revision=1, api_key="sk-new"
        ),
    ),
    "check_endpoint": (
        "endpoint.manage",
        lambda w, a: endpoints.check_endpoint(actor=a, endpoint_id=w.endpoint.id),
    ),
    "publish_config_version": (
        "config.publish",
        lambda w, a: configs.publish_config_version(
            actor=a, project_id=w.cast.project.id, name="calm", body=CONFIG
        ),
    ),
    "create_feature": (
        "feature.manage",
        lambda w, a: features.create_feature(
            actor=a, project_id=w.cast.project.id, slug="other", name="Other"
        ),
    ),
    "update_feature": (
        "feature.manage",
        lambda w, a: features.update_feature(
            actor=a,
            feature_id=w.feature.id,
            name="Helper 2",
            description="",
            risk_class="high",
            owner_id=None,
        ),
    ),
    "appoint_approver": (
        "policy.manage",
        lambda w, a: features.appoint_approver(
            actor=a, feature_id=w.feature.id, user_id=w.cast.users["approver"].id
        ),
    ),
    "set_lint_policy": (
        "policy.manage",
        lambda w, a: lint_policies.set_lint_policy(
            actor=a, project_id=w.cast.project.id, revision=0, token_budget=500, banned_topics=["competitor"]
        ),
    ),
}


def snapshot() -> dict[str, list[Any]]:
    """Every row of the registry, of the audit log and of the outbox."""
    tables: list[Any] = [*apps.get_app_config("registry").get_models(), AuditEvent, OutboxMessage]
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in tables}


@pytest.mark.parametrize("name", WRITES)
def test_those_who_may_do_and_all_others_change_nothing(world: World, strangers: Cast, name: str) -> None:
    permission, call = WRITES[name]
    before = snapshot()
    for role in set(Role) - TABLE[permission]:
        with pytest.raises(NotAllowed) as denied:
            call(world, world.cast.actor(role.value))
        assert denied.value.extra["permission"] == permission
    with pytest.raises((NotAllowed, NotFound)):
        call(world, strangers.actor("owner"))
    assert snapshot() == before

    call(world, world.cast.actor(min(TABLE[permission] - {Role.OWNER}, default=Role.OWNER).value))
    assert snapshot() != before
