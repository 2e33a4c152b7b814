"""From a bad answer to a case of the danger set, in one action."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from promptstore.core.errors import NotAllowed
from promptstore.core.ids import uuid7
from registry.models import DatasetCase
from reviews import services
from reviews.errors import StillJudged
from reviews.models import ReviewItem
from telemetry.danger import InputsNotKept, add_inference_to_danger_set
from telemetry.models import Inference
from tests.cast import Cast
from tests.reviews.review_cast import BAD, claim, label, person, queue
from tests.world import World

ASKED = {"request": "Let the guests in."}


@pytest.fixture
def settled(world: World, settings: Any) -> ReviewItem:
    """An answer that somebody found bad."""
    queue(world, settings)
    ReviewItem.objects.update(variables=ASKED, output="0.0.0.0/0")
    Inference.objects.update(variables_redacted=ASKED, output_redacted="0.0.0.0/0")
    label(world.cast, claim(world.cast), answers=BAD)
    return ReviewItem.objects.get()


def add(cast: Cast, item: ReviewItem, who: str = "owner") -> DatasetCase:
    return services.add_item_to_danger_set(actor=cast.actor(who), project_id=cast.project.pk, item_id=item.pk)


def test_a_settled_item_becomes_a_case_with_its_inputs_and_what_people_found(
    world: World, settled: ReviewItem
) -> None:
    case = add(world.cast, settled)
    assert (case.source_kind, case.source_ref) == ("review", str(settled.pk))
    assert case.feature == world.feature
    assert case.said is not None
    assert case.said.variables == ASKED
    assert case.said.note == "People judged it: factuality unsupported, tone off. It answered: 0.0.0.0/0"
    assert "candidate" not in str(case.content)


def test_a_second_click_and_the_inferences_own_button_give_the_same_case(
    world: World, settled: ReviewItem
) -> None:
    cast = world.cast
    of_inference = add_inference_to_danger_set(
        actor=cast.actor("owner"), project_id=cast.project.pk, inference_id=settled.inference_id
    )
    assert add(cast, settled).pk == add(cast, settled).pk == of_inference.pk
    assert DatasetCase.objects.count() == 1


def test_while_somebody_may_still_be_asked_nobody_is_told(world: World, settings: Any) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, overlap=2)
    ReviewItem.objects.update(variables=ASKED)
    label(cast, claim(cast), answers=BAD)
    with pytest.raises(StillJudged):
        add(cast, ReviewItem.objects.get())
    assert not DatasetCase.objects.exists()


def test_without_inputs_there_is_no_case(world: World, settled: ReviewItem) -> None:
    ReviewItem.objects.update(variables=None)
    Inference.objects.update(variables_redacted=None)
    with pytest.raises(InputsNotKept):
        add(world.cast, settled)
    with pytest.raises(InputsNotKept):
        add_inference_to_danger_set(
            actor=world.cast.actor("owner"),
            project_id=world.cast.project.pk,
            inference_id=settled.inference_id,
        )
    assert not DatasetCase.objects.exists()


@pytest.mark.parametrize("who", ["annotator", "approver", "writer", "auditor"])
def test_it_takes_the_right_to_read_the_text_and_the_right_to_add_cases(
    world: World, settled: ReviewItem, who: str
) -> None:
    with pytest.raises(NotAllowed):
        add(world.cast, settled, who)
    assert not DatasetCase.objects.exists()


def test_the_pages_offer_it_once_and_lead_to_the_case_afterwards(
    world: World, settled: ReviewItem, client: Client
) -> None:
    client.force_login(world.cast.users["owner"])
    page, button = (
        reverse("reviews:item_detail", args=[settled.pk]),
        reverse("reviews:danger", args=[settled.pk]),
    )
    assert button in client.get("/reviews/").content.decode()
    assert button in client.get(page).content.decode()
    after = client.post(button, follow=True).content.decode()
    case = DatasetCase.objects.get()
    assert f"{case.key} is in the danger set." in after
    assert f'href="/datasets/danger/cases/{case.key}/"' in after
    assert button not in after


def test_the_page_of_an_inference_offers_it_in_one_action(
    world: World, settled: ReviewItem, client: Client
) -> None:
    client.force_login(world.cast.users["owner"])
    page = reverse("telemetry:inference_detail", args=[settled.inference_id])
    button = reverse("telemetry:inference_danger", args=[settled.inference_id])
    assert button in client.get(page).content.decode()
    after = client.post(button, follow=True).content.decode()
    case = DatasetCase.objects.get()
    assert case.source_ref == str(settled.inference_id)
    assert f"{case.key} is in the danger set." in after
    assert button not in after
    assert client.post(reverse("telemetry:inference_danger", args=[uuid7()])).status_code == 404


def test_a_good_answer_has_no_button_in_the_list_and_approvers_have_none_at_all(
    world: World, settled: ReviewItem, client: Client
) -> None:
    button = reverse("reviews:danger", args=[settled.pk])
    client.force_login(world.cast.users["approver"])
    assert button not in client.get("/reviews/").content.decode()
    assert button not in client.get(reverse("reviews:item_detail", args=[settled.pk])).content.decode()
    ReviewItem.objects.update(verdict={"factuality": "supported", "tone": "fits"})
    client.force_login(world.cast.users["owner"])
    assert button not in client.get("/reviews/").content.decode()
