"""What a service key with the scope `release` reaches: its own environment and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from promptstore.core import keys
from promptstore.core.errors import NotAllowed
from promptstore.core.models import AuditEvent, Environment
from releases import services
from releases.models import Promotion, Release
from tests.world import PLAN, World

URL = "/api/v1/projects/acme/promotions/"


def secret_of(world: World, environment: Environment) -> str:
    """A key of that environment."""
    return keys.create_service_key(
        actor=world.cast.actor("owner"), environment=environment, name="ci", scopes=["release"]
    )[1]


def ask(secret: str, release: Release) -> dict[str, Any]:
    """The answer to a request for production."""
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    answer = client.post(URL, {"release": release.digest, "environment": "production"}, format="json")
    told: dict[str, Any] = {"status": answer.status_code} | answer.json()
    return told


def test_a_key_of_staging_asks_for_nothing_in_production(world: World) -> None:
    release, secret = world.compose(), secret_of(world, world.cast.staging)
    before = AuditEvent.objects.count()
    told = ask(secret, release)
    assert (told["status"], told["code"], told["field"]) == (403, "other_environment", "environment")
    assert not Promotion.objects.exists()
    assert AuditEvent.objects.count() == before


def test_a_key_of_production_asks_for_production(world: World) -> None:
    assert ask(secret_of(world, world.cast.production), world.compose())["status"] == 201


def test_a_personal_token_reaches_every_environment_that_its_owner_does(world: World) -> None:
    secret = keys.create_personal_token(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.pk, name="laptop"
    )[1]
    assert ask(secret, world.compose())["status"] == 201


CHANGES: dict[str, Callable[..., Promotion]] = {
    "recheck": services.recheck_promotion,
    "plan": lambda **who: services.change_plan(**who, plan=PLAN, reason="Slower."),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_key_of_staging_changes_no_promotion_to_production(world: World, change: str) -> None:
    promotion = world.check(world.request())
    actor = keys.actor_for_key(secret_of(world, world.cast.staging))
    with pytest.raises(NotAllowed) as refused:
        CHANGES[change](actor=actor, project_id=world.cast.project.pk, promotion_id=promotion.pk)
    assert refused.value.code == "other_environment"
