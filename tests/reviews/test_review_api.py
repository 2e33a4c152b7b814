from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from promptstore.core import keys
from reviews import services
from reviews.models import Label, ReviewItem
from telemetry.models import Inference
from tests.cast import Cast
from tests.reviews.review_cast import BAD, GOOD, claim, label, person, queue
from tests.world import World

BASE = "/api/v1/projects/acme/reviews/"


@pytest.fixture
def api(cast: Cast) -> Any:
    """`api("annotator")` is a client of that person."""

    def client_of(role: str) -> APIClient:
        _, token = keys.create_personal_token(
            actor=cast.actor(role), project_id=cast.project.pk, name=f"test {role}"
        )
        return APIClient(headers={"Authorization": f"Bearer {token}"})

    return client_of


def body(claimed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"fence": claimed["fence"], "rubric": claimed["rubric"]["version"], "answers": GOOD, **more}


def test_an_answer_is_claimed_labelled_and_the_next_comes_along(
    world: World, settings: Any, api: Any
) -> None:
    queue(world, settings, candidate=2)
    client = api("annotator")
    first = client.post(f"{BASE}claim/").json()["claim"]
    assert first["output"] == "an answer"
    assert [question["id"] for question in first["rubric"]["questions"]] == ["factuality", "tone"]
    assert client.post(f"{BASE}claim/").json()["claim"]["id"] == first["id"]
    beat = client.post(f"{BASE}{first['id']}/heartbeat/", {"fence": first["fence"]})
    assert beat.json()["expires_at"] == "2026-03-02T09:10:00Z"
    answer = client.post(f"{BASE}{first['id']}/label/", body(first, claim_another=True))
    assert answer.status_code == 200, answer.json()
    second = answer.json()["claim"]
    assert second["id"] != first["id"]
    assert answer.json()["given"]["answers"] == GOOD
    skipped = client.post(f"{BASE}{second['id']}/skip/", {"fence": second["fence"], "claim_another": True})
    assert skipped.json() == {"claim": None}


def test_refusals_have_stable_codes_and_change_nothing(world: World, settings: Any, api: Any) -> None:
    queue(world, settings)
    client = api("annotator")
    claimed = client.post(f"{BASE}claim/").json()["claim"]
    one = f"{BASE}{claimed['id']}/"
    answers = [
        client.post(f"{one}label/", body(claimed, fence=9)),
        client.post(f"{one}label/", body(claimed, answers={"tone": "fits"})),
        client.post(f"{one}label/", body(claimed, arm="stable")),
        client.post(f"{one}skip/", {"fence": claimed["fence"], "reason": "lunch"}),
        client.post(f"{one}escalate/", {"fence": claimed["fence"]}),
        api("writer").get(BASE),
        api("annotator").get(one),
        api("operator").post(f"{BASE}claim/"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "lease_lost"),
        *[(400, "invalid")] * 4,
        *[(403, "not_allowed")] * 3,
    ]
    assert not Label.objects.exists()
    client.post(f"{one}label/", body(claimed))
    again = client.post(f"{one}label/", body(claimed, answers=BAD))
    assert (again.status_code, again.json()["code"]) == (409, "already_labelled")


def test_a_replayed_key_labels_once_and_another_body_under_it_is_refused(
    world: World, settings: Any, api: Any
) -> None:
    queue(world, settings, candidate=2)
    client = api("annotator")
    claimed = client.post(f"{BASE}claim/").json()["claim"]
    path, headers = f"{BASE}{claimed['id']}/label/", {"Idempotency-Key": "k"}
    first = client.post(path, body(claimed, claim_another=True), headers=headers)
    second = client.post(path, body(claimed, claim_another=True), headers=headers)
    assert first.json() == second.json()
    other = client.post(path, body(claimed, answers=BAD), headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"
    assert Label.objects.count() == 1


def test_nothing_that_who_labels_is_sent_tells_the_arm_or_what_others_said(
    world: World, settings: Any, api: Any, client: Client
) -> None:
    cast = world.cast
    person(cast, "second")
    rollout = queue(world, settings, candidate=2, stable=2, overlap=2)
    first = claim(cast, "second")
    label(cast, first, "second", answers=BAD, comment="Nonsense from start to end.")
    rest, sent = api("annotator"), []
    client.force_login(cast.users["annotator"])
    for _ in range(4):
        claimed = rest.post(f"{BASE}claim/")
        page = client.get("/reviews/next/")
        overview = [client.get("/reviews/"), rest.get(BASE), rest.get(f"{BASE}summary/")]
        given = claimed.json()["claim"]
        after = rest.post(f"{BASE}{given['id']}/label/", body(given))
        sent += [
            json.dumps(dict(answer.headers)) + answer.content.decode()
            for answer in (claimed, page, *overview, after)
        ]  # fmt: skip
    release, stable = rollout.candidate, rollout.baseline
    assert stable is not None
    secrets = [
        "candidate", '"stable', "baseline", "Nonsense from", str(rollout.pk), release.digest, stable.digest,
        release.version, "small@", "scripted", "assistant@",
        *(str(pk) for pk in Inference.objects.values_list("pk", flat=True)),
    ]  # fmt: skip
    text = "\n".join(sent).replace("ps-brand__candidate", "")  # a line of the logo
    assert not [secret for secret in secrets if secret in text]
    assert rest.get(f"/api/v1/projects/acme/rollouts/{rollout.pk}/labels/").status_code == 403


def test_an_item_is_decided_over_rest(world: World, settings: Any, api: Any) -> None:
    queue(world, settings)
    annotator, approver = api("annotator"), api("approver")
    claimed = annotator.post(f"{BASE}claim/").json()["claim"]
    one = f"{BASE}{claimed['id']}/"
    annotator.post(f"{one}escalate/", {"fence": claimed["fence"], "reason": "Over my head."})
    seen = approver.get(one).json()
    assert (seen["item"]["state"], seen["item"]["escalated_because"]) == ("escalated", "Over my head.")
    settled = approver.post(f"{one}settle/", {"answers": BAD, "reason": "Not in the sources."}).json()
    assert settled["item"]["verdict"] == BAD
    again = approver.post(f"{one}settle/", {"answers": BAD, "reason": "Twice."})
    assert (again.status_code, again.json()["code"]) == (409, "transition_refused")


def test_the_list_and_the_summary(world: World, settings: Any, api: Any) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, candidate=3, overlap=2)
    for who, answers in (("annotator", GOOD), ("second", GOOD), ("annotator", BAD), ("second", GOOD)):
        label(cast, claim(cast, who), who, answers=answers)
    listed = api("auditor").get(f"{BASE}?state=settled&page_size=1").json()
    assert [row["state"] for row in listed["results"]] == ["settled"]
    assert api("auditor").get(f"{BASE}?state=odd").json()["field"] == "state"
    summary = api("annotator").get(f"{BASE}summary/").json()
    assert summary["counts"]["escalated"] == 1
    assert summary["today"] == {"done": 2, "waiting": 1}
    assert summary["pairs"] == []
    factuality = summary["agreement"][0]
    assert factuality["share"] == {"value": 0.5, "n": 2, "why": ""}
    assert factuality["alpha"]["value"] == pytest.approx(0.0)
    pair = api("engineer").get(f"{BASE}summary/").json()["pairs"][0]
    assert (pair["question"], pair["kappa"]["n"]) == ("factuality", 2)


def test_rates_by_arm_are_for_those_who_decide(world: World, settings: Any, api: Any) -> None:
    cast = world.cast
    rollout = queue(world, settings, candidate=3, stable=3)
    verdicts = {"candidate": [BAD, {**GOOD, "factuality": "cannot_tell"}, GOOD], "stable": [GOOD] * 3}
    while claimed := services.claim_next(actor=cast.actor("annotator"), project_id=cast.project.pk):
        item = ReviewItem.objects.get(pk=claimed.item_id)
        label(cast, claimed, answers=verdicts[item.arm].pop())
    path = f"/api/v1/projects/acme/rollouts/{rollout.pk}/labels/"
    candidate, stable = api("operator").get(path).json()
    assert (candidate["arm"], candidate["sampled"], candidate["settled"]) == ("candidate", 3, 3)
    rates = {rate["name"]: (rate["hits"], rate["n"]) for rate in candidate["rates"]}
    assert rates == {"hallucination": (1, 2), "tone_off": (1, 3), "tone_harmful": (0, 3)}
    assert stable["rates"][0]["interval"]["lower"] == 0
    assert api("annotator").get(path).status_code == 403
    unknown = path.replace(str(rollout.pk), str(cast.project.pk))
    assert api("operator").get(unknown).status_code == 404
