"""A data directory that an earlier version made and used starts under this one, and nothing in it is lost.

`fixtures/` holds such directories; README.md says how they were made.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promptstore.local.embedded import ROOT
from providers.scripted import ScriptedServer
from tests.upgrade.instance import Instance, eventually, running, unpacked
from tests.upgrade.make_fixture import ANSWER, FEATURE, FIXTURES

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

OLDEST, *LATER = sorted(FIXTURES.glob("*.tar.xz"))


@dataclass(frozen=True)
class Upgraded:
    """This version on an earlier version's home, and what that version said about itself."""

    instance: Instance
    facts: dict[str, Any]


@pytest.fixture(
    scope="module",
    params=[OLDEST, *(pytest.param(one, marks=pytest.mark.proof) for one in LATER)],
    ids=lambda archive: archive.name.partition(".")[0],
)
def upgraded(request: pytest.FixtureRequest) -> Iterator[Upgraded]:
    with tempfile.TemporaryDirectory(prefix="ps-up-") as place:
        home = unpacked(request.param, Path(place))
        facts = json.loads((home / "facts.json").read_text(encoding="utf-8"))
        with (
            ScriptedServer({"default": {"answer": ANSWER}}) as provider,
            running(home, checkout=ROOT, model_url=provider.base_url) as instance,
        ):
            yield Upgraded(instance, facts)


def test_its_people_sign_in_and_its_pages_show(upgraded: Upgraded) -> None:
    session = upgraded.instance.sign_in("engineer")
    pages = (
        "/",
        "/prompts/",
        f"/prompts/{FEATURE}/versions/1.1.0/",
        "/releases/",
        *(f"/releases/promotions/{promotion}/" for promotion in upgraded.facts["promotions"]),
        f"/releases/rollouts/{upgraded.facts['rollout']}/",
        "/incidents/",
    )
    assert {path: session.get(path).status for path in pages} == dict.fromkeys(pages, 200)
    log = upgraded.instance.sign_in("auditor").get("/audit/?action=promotion.approved")
    assert "the approval that completed its quorum (1 of 1)" in log.text


def test_every_unit_gets_what_it_got(upgraded: Upgraded) -> None:
    for environment, units in upgraded.facts["served"].items():
        for unit, expected in units.items():
            answer = upgraded.instance.serving(
                f"/v1/features/{FEATURE}/resolve?unit={unit}", environment=environment
            ).json
            found = {
                "arm": answer["arm"], "release": answer["release"]["digest"], "prompt": answer["prompt"]["digest"],
            }  # fmt: skip
            assert found == expected, (environment, unit)


def test_the_gateway_reaches_the_model(upgraded: Upgraded) -> None:
    answer = upgraded.instance.serving(
        "/v1/chat/completions",
        {"model": FEATURE, "unit": "unit-0", "messages": [], "prompt_variables": {"request": "Log less."}},
        environment="production",
    )
    assert answer.status == 200, answer.text
    assert answer.json["choices"][0]["message"]["content"] == ANSWER


def test_the_log_is_whole_and_holds_what_it_held(upgraded: Upgraded) -> None:
    kept = upgraded.facts["log"]
    done = upgraded.instance.command(
        "-m", "promptstore.cli", "audit", "verify", "--json",
        "--expect-sequence", str(kept["sealed"]), "--expect-head", kept["head"],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["sealed"] >= kept["sealed"]


def test_the_rollout_that_was_under_way_is_where_it_was_and_can_be_steered(upgraded: Upgraded) -> None:
    operator = upgraded.instance.sign_in("operator")
    path = f"rollouts/{upgraded.facts['rollout']}/"
    before = operator.api(path)["rollout"]
    assert before["state"] == "running"
    for action, state in (("pause", "paused"), ("resume", "running")):
        operator.api(f"{path}{action}/", {"reason": "The version changed."})
        assert operator.api(path)["rollout"]["state"] == state
    assert operator.api(path)["rollout"]["weight_bp"] == before["weight_bp"]


def test_a_new_version_is_published_and_released(upgraded: Upgraded) -> None:
    engineer = upgraded.instance.sign_in("engineer")
    draft = engineer.api(f"prompts/{FEATURE}/drafts/main/")
    body = draft["body"]
    body["messages"][0]["content"] += " Be brief."
    revision = {"If-Match": f'"{draft["revision"]}"'}
    saved = engineer.api(f"prompts/{FEATURE}/drafts/main/", {"body": body}, method="PUT", **revision)
    engineer.api(
        f"prompts/{FEATURE}/drafts/main/publish/",
        {"version": "1.2.0", "changelog": "Shorter."},
        **{"If-Match": f'"{saved["revision"]}"'},
    )
    release = engineer.api(
        "releases/",
        {
            "feature": FEATURE,
            "prompts": {FEATURE: "1.2.0"},
            "models": {"primary": "smollm2@1.0.0"},
            "config": f"{FEATURE}@1.0.0",
            "version": "1.2.0",
        },
    )
    engineer.api("promotions/", {"release": release["digest"], "environment": "staging"})

    def served() -> bool:
        answer = upgraded.instance.serving(f"/v1/features/{FEATURE}/resolve?unit=u", environment="staging")
        return bool(answer.json["release"]["digest"] == release["digest"])

    eventually(served, "the new release is live in staging", within_s=120)
