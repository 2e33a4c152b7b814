from __future__ import annotations

import pytest

from promptstore.core.errors import Conflict, DomainError, NotFound
from registry.errors import NameTaken
from registry.models import Feature
from registry.selectors.features import is_appointed
from registry.services import features
from tests.cast import Cast


@pytest.fixture
def feature(cast: Cast) -> Feature:
    return features.create_feature(
        actor=cast.actor("engineer"), project_id=cast.project.id, slug="config-assistant", name="Assistant"
    )


def test_a_slug_is_taken_once(cast: Cast, feature: Feature) -> None:
    with pytest.raises(NameTaken):
        features.create_feature(
            actor=cast.actor("engineer"), project_id=cast.project.id, slug=feature.slug, name="Again"
        )


def test_owners_appoint_and_dismiss_approvers(cast: Cast, feature: Feature) -> None:
    owner, approver = cast.actor("owner"), cast.users["approver"]
    features.appoint_approver(actor=owner, feature_id=feature.id, user_id=approver.id)
    assert is_appointed(feature_id=feature.id, user_id=approver.id)
    with pytest.raises(Conflict):
        features.appoint_approver(actor=owner, feature_id=feature.id, user_id=approver.id)

    features.dismiss_approver(actor=owner, feature_id=feature.id, user_id=approver.id)
    assert not is_appointed(feature_id=feature.id, user_id=approver.id)
    with pytest.raises(NotFound):
        features.dismiss_approver(actor=owner, feature_id=feature.id, user_id=approver.id)


def test_only_those_who_may_approve_are_appointed(cast: Cast, strangers: Cast, feature: Feature) -> None:
    for user in (cast.users["engineer"], strangers.users["approver"]):
        with pytest.raises(DomainError) as refused:
            features.appoint_approver(actor=cast.actor("owner"), feature_id=feature.id, user_id=user.id)
        assert refused.value.code == "not_an_approver"


def test_an_owner_from_another_project_is_refused(cast: Cast, strangers: Cast, feature: Feature) -> None:
    with pytest.raises(DomainError) as refused:
        features.update_feature(
            actor=cast.actor("engineer"),
            feature_id=feature.id,
            name="Assistant",
            description="",
            risk_class="high",
            owner_id=strangers.users["owner"].id,
        )
    assert refused.value.field == "owner"
