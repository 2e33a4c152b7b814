from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from promptstore.core.models import AuditEvent
from registry.models import Feature, FeatureApprover
from registry.services import features
from tests.cast import Cast
from tests.registry.views.conftest import As


@pytest.fixture
def feature(cast: Cast) -> Feature:
    return features.create_feature(
        actor=cast.actor("engineer"), project_id=cast.project.pk, slug="summary", name="Summary of a ticket"
    )


def typed(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What a browser sends to describe a feature."""
    owner = str(cast.users["engineer"].pk)
    return {"name": "Summary", "description": "", "risk_class": "high", "owner": owner, **changes}


def test_an_empty_list_teaches_the_next_step(browse: As) -> None:
    assert b"Create the first feature" in browse("engineer").get("/features/").content
    assert b"Create the first feature" not in browse("writer").get("/features/").content


def test_a_feature_is_created_and_shown(browse: As, cast: Cast) -> None:
    client = browse("engineer")
    answer = client.post("/features/new/", typed(cast, slug="summary"))

    assert answer["Location"] == "/features/summary/"
    row = Feature.objects.get()
    assert (row.risk_class, row.owner) == ("high", cast.users["engineer"])
    assert "summary" in client.get("/features/").content.decode()
    page = client.get("/features/summary/").content.decode()
    assert 'href="/releases/?feature=summary"' in page
    assert 'href="/incidents/?feature=summary"' in page
    assert 'href="/releases/compose/?feature=summary"' in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "No Spaces"}, "slug"),
        ({"slug": "new"}, "slug"),
        ({"name": ""}, "name"),
        ({"risk_class": "none"}, "risk_class"),
        ({"owner": "somebody"}, "owner"),
    ],
)
def test_a_fault_is_shown_at_its_field_and_saves_nothing(
    browse: As, cast: Cast, changes: dict[str, Any], field: str
) -> None:
    answer = browse("engineer").post("/features/new/", typed(cast, slug="summary") | changes)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Feature.objects.exists()


def test_a_taken_name_is_refused_at_its_field(browse: As, cast: Cast, feature: Feature) -> None:
    answer = browse("engineer").post("/features/new/", typed(cast, slug="summary"))

    assert "exists already" in str(answer.context["form"].errors["slug"])
    assert Feature.objects.count() == 1


def test_a_feature_is_changed_by_whoever_manages_features(browse: As, cast: Cast, feature: Feature) -> None:
    page = browse("writer").get("/features/summary/").content.decode()
    assert ">Save<" not in page
    refused = browse("writer").post("/features/summary/", typed(cast))
    assert refused.status_code == 422
    feature.refresh_from_db()
    assert feature.name == "Summary of a ticket"

    browse("engineer").post("/features/summary/", typed(cast, owner=""))
    feature.refresh_from_db()
    assert (feature.name, feature.owner) == ("Summary", None)


def test_an_owner_appoints_and_dismisses(browse: As, cast: Cast, feature: Feature) -> None:
    client = browse("owner")
    person = cast.users["approver"]
    offered = [
        text for _, text in client.get("/features/summary/").context["appoint_form"].fields["user"].choices
    ]
    assert offered == ["Choose a person", "approver@acme", "owner@acme"]

    client.post("/features/summary/appoint/", {"user": str(person.pk)})
    assert FeatureApprover.objects.get().user == person
    again = client.post("/features/summary/appoint/", {"user": str(person.pk)})
    assert again.status_code == 422
    assert "approver@acme" in client.get("/features/").content.decode()

    client.post("/features/summary/dismiss/", {"user": str(person.pk)})
    assert not FeatureApprover.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="approver.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["approver.appointed", "approver.dismissed"]


def test_nobody_else_appoints(browse: As, cast: Cast, feature: Feature) -> None:
    person = str(cast.users["approver"].pk)
    assert b"Appoint an approver" not in browse("engineer").get("/features/summary/").content

    browse("engineer").post("/features/summary/appoint/", {"user": person})
    assert not FeatureApprover.objects.exists()
    features.appoint_approver(
        actor=cast.actor("owner"), feature_id=feature.pk, user_id=cast.users["approver"].pk
    )
    assert browse("engineer").post("/features/summary/dismiss/", {"user": person}).status_code == 403
    assert FeatureApprover.objects.exists()


def test_a_person_who_is_not_appointed_cannot_be_dismissed(browse: As, cast: Cast, feature: Feature) -> None:
    client = browse("owner")
    for user in (str(cast.users["writer"].pk), "nobody", ""):
        assert client.post("/features/summary/dismiss/", {"user": user}).status_code == 404


def test_another_projects_feature_is_not_found(strangers: Cast, feature: Feature) -> None:
    client = Client()
    client.force_login(strangers.users["owner"])

    assert client.get("/features/summary/").status_code == 404
    assert client.post("/features/summary/", typed(strangers)).status_code == 404
    assert client.post("/features/summary/appoint/", {"user": ""}).status_code == 404
    assert b"No features yet" in client.get("/features/").content


def test_a_write_without_a_csrf_token_is_refused(cast: Cast, feature: Feature) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["owner"])
    person = {"user": str(cast.users["approver"].pk)}

    for address, body in (
        ("/features/new/", typed(cast, slug="other")),
        ("/features/summary/", typed(cast)),
        ("/features/summary/appoint/", person),
    ):
        assert client.post(address, body).status_code == 403
    assert Feature.objects.get().name == "Summary of a ticket"
    assert not FeatureApprover.objects.exists()


def test_the_list_costs_the_same_for_many_features(browse: As, cast: Cast, count_queries: Any) -> None:
    client = browse("writer")

    def cost() -> int:
        with count_queries() as seen:
            client.get("/features/")
        return len(seen)

    features.create_feature(actor=cast.actor("engineer"), project_id=cast.project.pk, slug="a", name="A")
    one = cost()
    for slug in ("b", "c", "d"):
        features.create_feature(
            actor=cast.actor("engineer"), project_id=cast.project.pk, slug=slug, name=slug
        )
    assert cost() == one
