from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from rest_framework.test import APIClient

from promptstore.core import keys
from promptstore.core.actors import ActorKind, system
from promptstore.core.clock import ManualClock
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.models import ApiKey, AuditEvent, Membership, OutboxMessage
from promptstore.core.permissions import SCOPES, TABLE, allows
from tests.cast import Cast


def service_key(cast: Cast, *scopes: str, **options: object) -> tuple[ApiKey, str]:
    return keys.create_service_key(
        actor=cast.actor("owner"),
        environment=cast.production,
        name="checkout",
        scopes=list(scopes) or ["serve"],
        **options,  # type: ignore[arg-type]
    )


def token(cast: Cast, role: str, **options: object) -> tuple[ApiKey, str]:
    return keys.create_personal_token(
        actor=cast.actor(role),
        project_id=cast.project.id,
        name="laptop",
        **options,  # type: ignore[arg-type]
    )


def everything_stored() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


def test_only_the_digest_of_a_key_is_stored(cast: Cast) -> None:
    made = [service_key(cast), token(cast, "writer")]
    stored = everything_stored()
    for key, secret in made:
        assert key.digest == hashlib.sha256(secret.encode()).hexdigest()
        assert key.digest in stored
        assert secret not in stored
        assert secret[3:] not in stored


def test_keys_carry_256_random_bits_and_say_what_they_are(cast: Cast) -> None:
    secrets = [service_key(cast)[1] for _ in range(20)] + [token(cast, "writer")[1]]
    assert len(set(secrets)) == 21
    assert {secret[:3] for secret in secrets} == {"ps_", "pt_"}
    assert {len(secret) for secret in secrets} == {3 + 43}, "43 characters of base64url are 256 bits"


@pytest.mark.parametrize(
    "presented", ["", "ps_", "ps_unknown", "pt_" + "x" * 43, "\xff", "\x00", "x" * 100_000]
)
def test_what_was_never_issued_is_nobody(cast: Cast, presented: str) -> None:
    assert keys.actor_for_key(presented) is None


def test_a_key_stops_at_the_moment_it_expires(cast: Cast, clock: ManualClock) -> None:
    until = clock.now() + timedelta(hours=1)
    secrets = [service_key(cast, expires_at=until)[1], token(cast, "writer", expires_at=until)[1]]
    clock.advance(minutes=59, seconds=59)
    assert all(keys.actor_for_key(secret) for secret in secrets)
    clock.advance(seconds=1)
    assert not any(keys.actor_for_key(secret) for secret in secrets)


def test_a_revoked_key_is_nobody_at_once_and_revoking_again_changes_nothing(cast: Cast) -> None:
    key, secret = service_key(cast)
    revoke = {"actor": cast.actor("engineer"), "key_id": key.id, "project_id": cast.project.id}
    first = keys.revoke_key(**revoke, reason="Leaked.")  # type: ignore[arg-type]
    assert keys.actor_for_key(secret) is None
    events = AuditEvent.objects.count()
    again = keys.revoke_key(**revoke)  # type: ignore[arg-type]
    assert again.revoked_at == first.revoked_at
    assert AuditEvent.objects.count() == events
    assert AuditEvent.objects.get(action="key.revoked").reason == "Leaked."


def test_a_token_is_worth_what_its_owner_is(cast: Cast) -> None:
    _, secret = token(cast, "writer")
    actor = keys.actor_for_key(secret)
    assert actor == cast.actor("writer")
    Membership.objects.filter(user=cast.users["writer"]).update(roles=["auditor"])
    assert not allows(actor, "prompt.edit", project_id=cast.project.id)
    assert allows(actor, "audit.read", project_id=cast.project.id)


def test_a_deactivated_owner_takes_the_token_along(cast: Cast) -> None:
    _, secret = token(cast, "writer")
    user = cast.users["writer"]
    user.is_active = False
    user.save()
    assert keys.actor_for_key(secret) is None


def test_an_owner_who_left_the_project_takes_the_token_along(cast: Cast) -> None:
    _, secret = token(cast, "writer")
    Membership.objects.filter(user=cast.users["writer"]).delete()
    assert keys.actor_for_key(secret) is None


@pytest.mark.parametrize("scope", SCOPES)
def test_a_service_key_may_do_what_its_scope_carries_and_nothing_else(cast: Cast, scope: str) -> None:
    actor = keys.actor_for_key(service_key(cast, scope)[1])
    assert actor is not None
    assert (actor.kind, actor.environment_id) == (ActorKind.SERVICE, cast.production.id)
    held = {permission for permission in TABLE if allows(actor, permission, project_id=cast.project.id)}
    assert held == SCOPES[scope]


def test_no_scope_approves_or_moves_traffic() -> None:
    carried = frozenset().union(*SCOPES.values())
    assert not {
        name for name in carried if name.startswith(("rollout.", "promotion.approve", "policy.", "key."))
    }


def test_a_key_of_one_project_is_worth_nothing_in_another(cast: Cast, strangers: Cast) -> None:
    for secret in (service_key(cast, *SCOPES)[1], token(cast, "owner")[1]):
        actor = keys.actor_for_key(secret)
        assert actor is not None
        assert not any(allows(actor, name, project_id=strangers.project.id) for name in TABLE)


@pytest.mark.parametrize(
    ("scopes", "name", "field"),
    [([], "checkout", "scopes"), (["serve", "root"], "checkout", "scopes"), (["serve"], "  ", "name")],
)
def test_a_malformed_key_is_refused_by_field(cast: Cast, scopes: list[str], name: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keys.create_service_key(
            actor=cast.actor("owner"), environment=cast.production, name=name, scopes=scopes
        )
    assert refused.value.field == field
    assert not ApiKey.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("role", ["writer", "annotator", "approver", "operator", "auditor"])
def test_who_may_not_manage_keys_makes_and_revokes_none(cast: Cast, role: str) -> None:
    key, secret = service_key(cast)
    with pytest.raises(NotAllowed):
        keys.create_service_key(
            actor=cast.actor(role), environment=cast.production, name="x", scopes=["serve"]
        )
    with pytest.raises(NotAllowed):
        keys.revoke_key(actor=cast.actor(role), key_id=key.id, project_id=cast.project.id)
    assert ApiKey.objects.count() == 1
    assert keys.actor_for_key(secret) is not None


def test_everybody_revokes_their_own_token_and_nobody_elses(cast: Cast) -> None:
    mine, _ = token(cast, "auditor")
    with pytest.raises(NotAllowed):
        keys.revoke_key(actor=cast.actor("writer"), key_id=mine.id, project_id=cast.project.id)
    keys.revoke_key(actor=cast.actor("auditor"), key_id=mine.id, project_id=cast.project.id)
    mine.refresh_from_db()
    assert mine.revoked_at


def test_another_projects_key_does_not_exist_here(cast: Cast, strangers: Cast) -> None:
    theirs, secret = service_key(strangers)
    with pytest.raises(NotFound):
        keys.revoke_key(actor=cast.actor("owner"), key_id=theirs.id, project_id=cast.project.id)
    with pytest.raises(NotAllowed):
        keys.revoke_key(actor=cast.actor("owner"), key_id=theirs.id, project_id=strangers.project.id)
    assert keys.actor_for_key(secret) is not None


def test_a_stranger_makes_no_token_in_a_project(cast: Cast, strangers: Cast) -> None:
    with pytest.raises(NotAllowed):
        keys.create_personal_token(actor=strangers.actor("owner"), project_id=cast.project.id, name="x")


def test_only_people_have_personal_tokens(cast: Cast) -> None:
    with pytest.raises(InvalidInput):
        keys.create_personal_token(actor=system("setup"), project_id=cast.project.id, name="x")


def test_making_and_revoking_a_service_key_owe_a_new_snapshot(cast: Cast) -> None:
    key, _ = service_key(cast)
    keys.revoke_key(actor=cast.actor("owner"), key_id=key.id, project_id=cast.project.id)
    owed = OutboxMessage.objects.filter(topic="snapshot.publish").values_list("payload", flat=True)
    assert list(owed) == [{"environment_id": str(cast.production.id)}] * 2


def test_a_personal_token_is_none_of_the_data_planes_business(cast: Cast) -> None:
    key, _ = token(cast, "writer")
    keys.revoke_key(actor=cast.actor("writer"), key_id=key.id, project_id=cast.project.id)
    assert not OutboxMessage.objects.exists()


def test_a_revoked_key_is_turned_away_with_the_scheme_to_use(cast: Cast) -> None:
    key, secret = token(cast, "writer")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/v1/projects/acme/prompts/").status_code == 200
    keys.revoke_key(actor=cast.actor("writer"), key_id=key.id, project_id=cast.project.id)
    refused = client.get("/api/v1/projects/acme/prompts/")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert secret not in refused.content.decode()
