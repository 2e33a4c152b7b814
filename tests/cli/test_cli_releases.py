from __future__ import annotations

from collections.abc import Callable

import pytest

from promptstore.cli.output import show
from releases import services
from releases.models import Promotion, Release
from tests.cli.conftest import PromptCtl
from tests.world import ANSWER, World

SignIn = Callable[[str], None]


def test_an_engineer_composes_a_release_of_exact_versions(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    sign_in("engineer")
    ended = promptctl(
        "releases", "create", "assistant", "--prompt", "assistant@1.0.0", "--model", "small@1.0.0",
        "--config", "assistant@1.0.0", "--version", "2.0.0", "--changelog", "As before.", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert Release.objects.get(version="2.0.0").digest == ended.json["digest"]


def test_a_mutable_name_is_refused_before_anything_is_sent(promptctl: PromptCtl, sign_in: SignIn) -> None:
    sign_in("engineer")
    ended = promptctl(
        "releases",
        "create",
        "x",
        "--prompt",
        "assistant",
        "--model",
        "small@1.0.0",
        "--config",
        "c@1.0.0",
        "--json",
    )
    assert (ended.code, ended.problem["field"]) == (2, "--prompt")


def test_a_promotion_is_requested_and_shown_with_whose_turn_it_is(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    world.compose()
    sign_in("engineer")
    ended = promptctl(
        "releases",
        "promote",
        "1.1.0",
        "--feature",
        "assistant",
        "--environment",
        "production",
        "--reason",
        "Go.",
    )
    assert ended.code == 0, ended.err
    assert "checking" in ended.out
    assert str(Promotion.objects.get().pk) in ended.out


@pytest.mark.parametrize(("answer", "code"), [(ANSWER, 0), ("No idea.", 1)])
def test_the_exit_code_says_whether_a_gate_said_no(
    promptctl: PromptCtl, world: World, sign_in: SignIn, answer: str, code: int
) -> None:
    sign_in("engineer")
    promotion = world.request()
    world.provider.script({"default": {"answer": answer}})
    world.check(promotion)
    ended = promptctl("releases", "status", promotion.pk, "--json")
    assert (ended.code, ended.json["promotion"]["state"]) == (code, promotion.state)


def test_waiting_longer_than_the_timeout_is_inconclusive(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    sign_in("engineer")
    ended = promptctl(
        "releases",
        "promote",
        world.compose().digest,
        "--environment",
        "production",
        "--wait",
        "--timeout",
        "0",
        "--json",
    )
    assert (ended.code, ended.json["promotion"]["state"]) == (3, "checking")


def test_approving_without_having_looked_shows_the_evidence_and_changes_nothing(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    promotion = world.check(world.request())
    sign_in("approver")
    ended = promptctl("releases", "approve", promotion.pk)
    assert ended.code == 2
    evidence = promotion.evidence.get().digest
    assert f"--evidence {evidence}" in ended.err
    assert evidence in ended.out
    assert not promotion.votes.exists()


def test_approving_what_was_looked_at_counts(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    promotion = world.check(world.request())
    sign_in("approver")
    digest = promotion.evidence.get().digest
    ended = promptctl(
        "releases", "approve", promotion.pk, "--evidence", digest[:24], "--comment", "Good.", "--json"
    )
    assert ended.code == 0, ended.err
    assert ended.json["approvals"] == 1
    assert promotion.votes.get().evidence_digest == digest


@pytest.mark.parametrize("given", ["sha256:" + "0" * 64, "sha256:", "s", ""])
def test_approving_other_evidence_is_refused(
    promptctl: PromptCtl, world: World, sign_in: SignIn, given: str
) -> None:
    promotion = world.check(world.request())
    sign_in("approver")
    ended = promptctl("releases", "approve", promotion.pk, "--evidence", given, "--json")
    assert (ended.code, ended.problem["code"]) == (1, "stale_approval")
    assert not promotion.votes.exists()


def test_nobody_approves_their_own_change_from_a_terminal_either(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    promotion = world.check(world.request())
    sign_in("engineer")
    ended = promptctl("releases", "approve", promotion.pk, "--evidence", promotion.evidence.get().digest)
    assert ended.code == 4
    assert not promotion.votes.exists()


def test_a_rejection_needs_a_reason_and_ends_the_promotion(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    promotion = world.check(world.request())
    sign_in("approver")
    assert promptctl("releases", "reject", promotion.pk).code == 2
    assert promptctl("releases", "reject", promotion.pk, "--reason", "Too long.").code == 0
    ended = promptctl("releases", "status", promotion.pk)
    assert (ended.code, "rejected" in ended.out) == (1, True)


def test_the_overview_lists_what_is_open(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    sign_in("auditor")
    assert "Nothing is on its way." in promptctl("releases", "status").out
    rollout = world.roll_out()
    ended = promptctl("releases", "status")
    assert str(rollout.pk) in ended.out
    assert "running at 2 %" in ended.out


def test_a_promotions_id_leads_on_to_its_rollout(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    rollout = world.roll_out()
    sign_in("auditor")
    ended = promptctl("releases", "status", rollout.promotion_id)
    assert ended.code == 0
    assert "running at 2 %, step 2 of 5" in ended.out
    assert "rule       policy: no data" in ended.out


def test_an_operator_pauses_and_resumes(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    rollout = world.roll_out()
    sign_in("operator")
    paused = promptctl("releases", "pause", rollout.pk, "--reason", "Provider incident.")
    assert (paused.code, "Provider incident." in paused.out) == (0, True)
    again = promptctl("releases", "pause", rollout.pk, "--reason", "Again.")
    assert again.code == 1
    assert "possible now: " in again.err
    assert promptctl("releases", "resume", rollout.promotion_id).code == 0
    rollout.refresh_from_db()
    assert rollout.state == "running"


def test_nobody_hurries_the_canary(promptctl: PromptCtl, world: World, sign_in: SignIn) -> None:
    rollout = world.roll_out()
    sign_in("operator")
    ended = promptctl("releases", "advance", rollout.pk, "--step", 2, "--reason", "Hurry.", "--json")
    assert (ended.code, ended.problem["code"]) == (1, "canary_not_met")
    moved = promptctl("releases", "advance", rollout.pk, "--step", 3, "--reason", "Hurry.", "--json")
    assert moved.problem["code"] == "step_moved"


def test_a_rollback_at_once_takes_the_weight_to_nothing(
    promptctl: PromptCtl, world: World, sign_in: SignIn
) -> None:
    rollout = world.roll_out()
    sign_in("operator")
    ended = promptctl("releases", "rollback", rollout.pk, "--reason", "Wrong keys.", "--at-once", "--json")
    assert ended.code == 0, ended.err
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("rolled_back", 0)
    assert promptctl("releases", "status", rollout.pk).code == 1


def test_a_watch_shows_the_way_down_and_ends_with_it(
    promptctl: PromptCtl, world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = world.roll_out()
    sign_in("operator")
    looks = 0

    def look(*arguments: object, **options: object) -> None:
        """What somebody else does once the watcher has shown the first picture."""
        nonlocal looks
        looks += 1
        show(*arguments, **options)  # type: ignore[arg-type]
        if looks == 1:
            services.roll_back(
                actor=world.cast.actor("operator"),
                project_id=world.cast.project.pk,
                rollout_id=rollout.pk,
                reason="Seen enough.",
                at_once=True,
            )

    monkeypatch.setattr("promptstore.cli.releases.watching.show", look)
    ended = promptctl("releases", "status", rollout.promotion_id, "--watch")
    assert ended.code == 1
    assert ended.out.index("running at 2 %") < ended.out.index("rolled back at 0 %")
    assert "Seen enough." in ended.out


def test_watching_nothing_in_particular_is_a_usage_error(promptctl: PromptCtl, sign_in: SignIn) -> None:
    sign_in("auditor")
    assert promptctl("releases", "status", "--watch").code == 2


def test_another_projects_promotion_does_not_exist(
    promptctl: PromptCtl, world: World, sign_in: SignIn, strangers: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion = world.check(world.request())
    sign_in("operator")
    monkeypatch.setenv("PROMPTSTORE_PROJECT", "umbrella")
    ended = promptctl("releases", "status", promotion.pk, "--json")
    assert (ended.code, ended.problem["code"]) == (1, "not_found")
