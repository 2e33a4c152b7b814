from __future__ import annotations

import pytest

from promptstore.core.actors import system
from promptstore.core.errors import NotAllowed
from promptstore.core.models import Membership, Project
from promptstore.core.permissions import TABLE, Role, allows, require, roles_of
from tests.cast import Cast

CHANGES = sorted(name for name in TABLE if not name.endswith(".read"))


@pytest.mark.parametrize("permission", sorted(TABLE))
def test_each_role_holds_exactly_what_the_table_says(cast: Cast, permission: str) -> None:
    held = {role for role in Role if allows(cast.actor(role), permission, project_id=cast.project.id)}
    assert held == TABLE[permission]
    for role in Role:
        if role in held:
            require(cast.actor(role), permission, project_id=cast.project.id)
        else:
            with pytest.raises(NotAllowed) as refused:
                require(cast.actor(role), permission, project_id=cast.project.id)
            assert refused.value.extra == {"permission": permission}
            assert any(holder in refused.value.detail for holder in TABLE[permission])


def test_every_role_is_good_for_something_and_the_owner_for_everything() -> None:
    assert set(Role) == {role for holders in TABLE.values() for role in holders}
    assert all(Role.OWNER in holders for holders in TABLE.values())


def test_who_makes_a_change_does_not_sign_it_off() -> None:
    makers = TABLE["prompt.publish"] | TABLE["release.compose"] | TABLE["promotion.request"]
    assert makers & TABLE["promotion.approve"] == {Role.OWNER}, "the owner is held back case by case"


def test_auditors_change_nothing_and_annotators_only_what_they_judge_by() -> None:
    assert not [name for name in CHANGES if Role.AUDITOR in TABLE[name]]
    held = {name.partition(".")[0] for name in CHANGES if Role.ANNOTATOR in TABLE[name]}
    assert held <= {"dataset", "review"}


def test_roles_add_up(cast: Cast) -> None:
    Membership.objects.filter(user=cast.users["writer"]).update(roles=["writer", "operator"])
    actor = cast.actor("writer")
    held = {name for name in TABLE if allows(actor, name, project_id=cast.project.id)}
    assert held == {name for name, holders in TABLE.items() if holders & {Role.WRITER, Role.OPERATOR}}


def test_a_deactivated_person_loses_everything_at_once(cast: Cast) -> None:
    actor = cast.actor("owner")
    assert all(allows(actor, name, project_id=cast.project.id) for name in TABLE)
    cast.users["owner"].is_active = False
    cast.users["owner"].save()
    assert not any(allows(actor, name, project_id=cast.project.id) for name in TABLE)
    assert roles_of(user_id=cast.users["owner"].id, project_id=cast.project.id) == frozenset()


def test_a_member_without_a_role_may_not_even_read(cast: Cast) -> None:
    Membership.objects.filter(user=cast.users["writer"]).update(roles=[])
    assert not any(allows(cast.actor("writer"), name, project_id=cast.project.id) for name in TABLE)


def test_roles_end_at_the_projects_border(cast: Cast, strangers: Cast) -> None:
    for role in Role:
        assert not any(allows(cast.actor(role), name, project_id=strangers.project.id) for name in TABLE)


def test_a_superuser_of_django_is_nobody_in_a_project(cast: Cast) -> None:
    elsewhere = Project.objects.create(slug="initech", name="Initech")
    cast.users["owner"].is_superuser = True
    cast.users["owner"].save()
    assert not any(allows(cast.actor("owner"), name, project_id=elsewhere.id) for name in TABLE)


def test_the_product_itself_may_do_everything(cast: Cast) -> None:
    assert all(allows(system("controller"), name, project_id=cast.project.id) for name in TABLE)


def test_a_permission_that_is_not_in_the_table_is_a_defect(cast: Cast) -> None:
    with pytest.raises(KeyError):
        allows(cast.actor("owner"), "prompt.destroy", project_id=cast.project.id)


def test_a_promotion_of_rights_counts_at_the_next_question(cast: Cast) -> None:
    actor = cast.actor("auditor")
    assert not allows(actor, "policy.manage", project_id=cast.project.id)
    Membership.objects.filter(user=cast.users["auditor"]).update(roles=["owner"])
    assert allows(actor, "policy.manage", project_id=cast.project.id)
