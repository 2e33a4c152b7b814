from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviews import services
from reviews.models import Label, ReviewItem
from tests.cast import Cast
from tests.reviews.review_cast import BAD, GOOD, claim, fields, label, person, queue
from tests.world import World

NEXT = "/reviews/next/"
HOSTILE = '</code><script>alert(1)</script><img src="https://evil.example/x.png">'


def signed_in(client: Client, cast: Cast, role: str = "annotator") -> Client:
    client.force_login(cast.users[role])
    return client


def posted(claimed: Any, **more: Any) -> dict[str, Any]:
    return {"fence": claimed.fence, "rubric": claimed.rubric.version, **GOOD, **more}


def url(name: str, item_id: Any) -> str:
    return reverse(f"reviews:{name}", args=[item_id])


def test_somebody_judges_one_answer_after_the_other_without_scripts(
    world: World, settings: Any, client: Client
) -> None:
    queue(world, settings, candidate=2)
    signed_in(client, world.cast)
    assert "Take the next one" in client.get(NEXT).content.decode()
    assert not ReviewItem.objects.filter(state="leased").exists()
    assert client.post("/reviews/claim/").headers["Location"] == NEXT
    for done in range(2):
        page = client.get(NEXT)
        claimed = page.context["claim"]
        assert f"{done} of 2 today" in page.content.decode()
        assert client.post(url("label", claimed.item_id), posted(claimed)).headers["Location"] == NEXT
    assert "Nothing waits for you" in client.get(NEXT).content.decode()
    assert Label.objects.count() == 2


def test_keys_are_visible_and_hostile_texts_are_text(world: World, settings: Any, client: Client) -> None:
    queue(world, settings)
    ReviewItem.objects.update(output=HOSTILE, variables={"request": HOSTILE})
    claim(world.cast)
    text = signed_in(client, world.cast).get(NEXT).content.decode()
    for key in "1234qwesx":
        assert f'data-review-key="{key}"' in text
        assert f'<kbd class="ps-key" aria-hidden="true">{key}</kbd>' in text
    assert "<script>alert(1)" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_what_is_missing_comes_back_with_what_was_typed(world: World, settings: Any, client: Client) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    signed_in(client, world.cast)
    body = posted(claimed, comment="Half a thought")
    del body["tone"]
    answer = client.post(url("label", claimed.item_id), body)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "Half a thought" in text
    assert 'value="supported" required data-review-key="1" checked' in text
    assert not Label.objects.exists()


def test_skip_escalate_and_a_lost_lease_go_on_to_the_next(
    world: World, settings: Any, client: Client
) -> None:
    queue(world, settings, candidate=4)
    signed_in(client, world.cast)
    first = claim(world.cast)
    client.post(url("skip", first.item_id), {"fence": first.fence, "reason": "unreadable"})
    second = claim(world.cast)
    assert second.item_id != first.item_id
    assert (
        client.post(url("escalate", second.item_id), {"fence": second.fence, "reason": " "}).status_code
        == 400
    )
    client.post(url("escalate", second.item_id), {"fence": second.fence, "reason": "Odd."})
    third = claim(world.cast)
    late = client.post(url("label", third.item_id), posted(third) | {"fence": 99}, follow=True)
    assert "Somebody else has claimed this item since" in late.content.decode()
    assert client.post(url("label", third.item_id), posted(third) | {"fence": "x"}).status_code == 400
    states = sorted(ReviewItem.objects.values_list("state", flat=True))
    assert states == ["escalated", "leased", "queued", "queued"]


def test_the_page_renews_its_lease(world: World, settings: Any, client: Client, clock: Any) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    signed_in(client, world.cast)
    clock.advance(minutes=5)
    answer = client.post(url("heartbeat", claimed.item_id), {"fence": claimed.fence})
    assert answer.json() == {"expires_at": "2026-03-02T09:15:00+00:00"}
    assert client.post(url("heartbeat", claimed.item_id), {"fence": 9}).status_code == 409


@pytest.mark.parametrize("role", ["writer", "approver", "operator", "auditor"])
def test_others_have_no_page_to_label_on(world: World, settings: Any, client: Client, role: str) -> None:
    queue(world, settings)
    signed_in(client, world.cast, role)
    assert client.get(NEXT).status_code == 403
    assert client.post("/reviews/claim/").status_code == 403
    assert client.get("/reviews/").status_code == (403 if role == "writer" else 200)


def test_the_list_counts_filters_and_shows_agreement(world: World, settings: Any, client: Client) -> None:
    cast = world.cast
    person(cast, "second")
    empty = signed_in(client, cast).get("/reviews/").content.decode()
    assert "Nothing to judge yet" in empty
    assert "Unknown: nothing was judged twice." in empty
    queue(world, settings, candidate=2, overlap=2)
    for who in ("annotator", "second"):
        label(cast, claim(cast, who), who)
    page = client.get("/reviews/").content.decode()
    assert "1 of 2" in page
    assert "α unknown: only one category was used" in page
    assert "Settled" in page
    assert "Nothing matches" in client.get("/reviews/?state=withdrawn").content.decode()


def test_who_may_settle_sees_labels_only_when_nobody_is_asked_any_more(
    world: World, settings: Any, client: Client
) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, overlap=2)
    first = claim(cast)
    label(cast, first, answers=BAD, comment="Plainly wrong.")
    signed_in(client, cast, "approver")
    page = url("item_detail", first.item_id)
    assert "Plainly wrong." not in client.get(page).content.decode()
    label(cast, claim(cast, "second"), "second")
    text = client.get(page).content.decode()
    assert "Plainly wrong." in text
    assert "The labels disagree." in text
    refused = client.post(url("settle", first.item_id), {**GOOD, "reason": ""})
    assert refused.status_code == 400
    assert client.post(url("settle", first.item_id), {**GOOD, "reason": "Checked."}).status_code == 302
    assert ReviewItem.objects.get().state == "settled"
    assert signed_in(client, cast, "annotator").get(page).status_code == 403


def test_another_projects_item_is_not_found(
    world: World, strangers: Cast, settings: Any, client: Client
) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    signed_in(client, strangers, "owner")
    assert client.get(url("item_detail", claimed.item_id)).status_code == 404
    for name in ("label", "skip", "escalate", "heartbeat", "settle"):
        body = posted(claimed, reason="other")
        assert client.post(url(name, claimed.item_id), body).status_code == 404, name


def test_the_rail_counts_what_waits_for_this_person(world: World, settings: Any, client: Client) -> None:
    queue(world, settings, candidate=3)
    services.skip_item(**fields(world.cast, claim(world.cast)))
    counts = {}
    for role in ("annotator", "owner", "operator"):
        nav = signed_in(client, world.cast, role).get("/reviews/").context["nav"]
        counts[role] = {item.label: item.count for item in nav}["Review"]
    assert counts["annotator"] == 2
    assert counts["operator"] == 0
