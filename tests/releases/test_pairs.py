"""Pairs: what stable and the candidate answered to the same call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from promptstore.core import clock
from promptstore.core.ids import uuid7
from releases.models import Rollout
from releases.selectors.pairs import pair_rows, pairs_of, sample_pairs
from tests.cast import Cast
from tests.traffic import store
from tests.world import World


def call(rollout: Rollout, arm: str, text: str | None, *, of: str = "stable", **more: Any) -> dict[str, Any]:
    release = rollout.candidate if of == "candidate" else rollout.baseline
    assert release is not None
    return {
        "id": str(uuid7()),
        "at": clock.now().isoformat(),
        "project": rollout.project.slug,
        "environment": rollout.deployment.environment.slug,
        "feature": rollout.deployment.feature.slug,
        "release_digest": release.digest,
        "release_version": release.version,
        "rollout_id": str(rollout.id),
        "arm": arm,
        "status": "error" if text is None else "ok",
        "latency_ms": 120.0,
        "variables_redacted": {"request": "Log less."},
        "output_redacted": text,
        **more,
    }


def pair(rollout: Rollout, old: str | None, new: str | None, *, shown: str = "stable") -> str:
    """Store one call and its copy; returns the copy's id."""
    texts = {"stable": old, "candidate": new}
    other = "candidate" if shown == "stable" else "stable"
    answered = call(rollout, shown, texts[shown], of=shown)
    copy = call(rollout, "shadow", texts[other], of=other, paired_with=answered["id"])
    store([answered, copy])
    return str(copy["id"])


@pytest.fixture
def rollout(world: World) -> Rollout:
    return world.shadow()


def test_a_pair_is_the_old_and_the_new_answer_whoever_was_shown(rollout: Rollout) -> None:
    pair(rollout, "old", "new")
    pair(rollout, "old too", "new too", shown="candidate")
    newest, first = pairs_of(pair_rows(rollout))
    assert (first.old.text, first.new.text, first.shown) == ("old", "new", "stable")
    assert (newest.old.text, newest.new.text, newest.shown) == ("old too", "new too", "candidate")
    assert first.old.release == "1.0.0"
    assert first.variables == {"request": "Log less."}


def test_pairs_that_say_the_same_can_be_left_out(rollout: Rollout) -> None:
    same = pair(rollout, "same", "same")
    failed = pair(rollout, "fine", None)
    differs = pair(rollout, "old", "new")
    assert [str(one.pk) for one in pair_rows(rollout, differing=True)] == [differs, failed]
    assert [str(one.pk) for one in pair_rows(rollout)] == [differs, failed, same]
    assert [one.differs for one in pairs_of(pair_rows(rollout))] == [True, True, False]
    assert [str(one.id) for one in sample_pairs(rollout, 2)] == [differs, failed]
    assert [str(one.id) for one in sample_pairs(rollout, 3)] == [differs, failed, same]


def test_copies_whose_texts_were_not_kept_are_no_pairs(rollout: Rollout) -> None:
    answered = call(rollout, "stable", "old", variables_redacted=None, output_redacted=None)
    # A failure keeps its own text, which makes no pair of it.
    store([answered, call(rollout, "shadow", None, of="candidate", paired_with=answered["id"])])
    store([call(rollout, "shadow", "alone", of="candidate", paired_with=str(uuid7()))])
    assert not pair_rows(rollout).exists()


def test_they_are_read_as_pages_and_as_lines(rollout: Rollout, world: World, client: Client) -> None:
    ids = [pair(rollout, f"old {number}", f"new {number}") for number in range(3)]
    pair(rollout, "same", "same")
    client.force_login(world.cast.users["operator"])
    path = f"/api/v1/projects/acme/rollouts/{rollout.pk}/pairs/"
    found = client.get(path, {"differing": "true", "page_size": "2"}).json()
    assert [one["id"] for one in found["results"]] == ids[:0:-1]
    assert found["next"]
    answer = client.get(path, {"as": "jsonl"})
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["differs"] for line in lines] == [False, True, True, True]
    assert lines[-1]["new"]["text"] == "new 0"
    assert client.get(path, {"as": "csv"}).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("operator", 200), ("annotator", 403)])
def test_who_may_read_what_users_got_may_read_pairs(
    rollout: Rollout, world: World, client: Client, role: str, status: int
) -> None:
    pair(rollout, "old", "new")
    client.force_login(world.cast.users[role])
    assert client.get(f"/api/v1/projects/acme/rollouts/{rollout.pk}/pairs/").status_code == status
    assert client.get(f"/releases/rollouts/{rollout.pk}/pairs/").status_code == status
    page = client.get(f"/releases/promotions/{rollout.promotion_id}/").content.decode()
    assert ("Old and new sample answers" in page) == (status == 200)


def test_another_projects_pairs_are_not_found(rollout: Rollout, strangers: Cast, client: Client) -> None:
    client.force_login(strangers.users["owner"])
    assert client.get(f"/releases/rollouts/{rollout.pk}/pairs/").status_code == 404


def test_the_page_shows_what_differs_first_and_says_when_there_is_nothing(
    rollout: Rollout, world: World, client: Client
) -> None:
    client.force_login(world.cast.users["operator"])
    path = f"/releases/rollouts/{rollout.pk}/pairs/"
    assert "No pairs yet" in client.get(path).content.decode()
    pair(rollout, "the same", "the same")
    assert "All say the same" in client.get(path).content.decode()
    assert "the same" in client.get(path, {"show": "all"}).content.decode()
    pair(rollout, "<b>old</b>", "new")
    shown = client.get(path).content.decode()
    assert "&lt;b&gt;old" in shown
    assert "<b>old" not in shown
    assert path in client.get(f"/releases/rollouts/{rollout.pk}/").content.decode()
