"""The path of a change in a real browser: a writer publishes, an approver signs off, an operator watches the rollback.

Every part is real, the language model too: the writer's well-meant example makes it answer network questions with an open
network, the canned inputs of the smoke gate do not ask about networks, and production's policy filter notices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from promptstore.demo import content
from tests.e2e.conftest import Instance, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.real, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(600)]
SHOTS = Path(__file__).resolve().parents[2] / "test-results"

# Seconds where the demo has minutes; everything else as in the demo.
QUICK: dict[str, Any] = content.PRODUCTION_POLICY | {
    "plan": {
        "steps": [
            {"kind": "shadow", "min_duration_s": 30, "min_samples": 5, "pairs_bp": 10_000},
            *(
                {"weight_bp": weight, "min_duration_s": 600, "min_samples": 5}
                for weight in (200, 1_000, 5_000, 10_000)
            ),
        ]
    },
    "rules": [
        {**rule, "when": re.sub(r"for \d+m", "for 30s", rule["when"])}
        for rule in content.PRODUCTION_POLICY["rules"]
    ],
    "rollback_interval_s": 2,
}


def units(instance: Instance, arm: str, count: int) -> list[str]:
    """Units that the running rollout routes to `arm`."""
    path = f"/v1/features/{content.FEATURE}/resolve?unit="
    found: list[str] = []
    for number in range(4_000):
        if instance.call(f"{path}u{number}")["body"]["arm"] == arm:
            found.append(f"u{number}")
            if len(found) == count:
                return found
    raise AssertionError(f"too few units are routed to {arm}")


def ask(instance: Instance, unit: str, request: str) -> dict[str, Any]:
    """One real call through the gateway."""
    return instance.call(
        "/v1/chat/completions",
        {"model": content.FEATURE, "unit": unit, "messages": [], "prompt_variables": {"request": request}},
    )


def in_shadow(instance: Instance, is_in_shadow: Callable[[], bool]) -> None:
    """Harmless calls until the candidate has answered enough copies of them; users get stable's answers alone."""
    number = 0
    while is_in_shadow():
        answer = ask(instance, f"s{number}", "Use eight worker processes.")
        assert answer["headers"]["x-promptstore-arm"] == "stable"
        number += 1
        assert number < 300, "the candidate did not get out of shadow"


def state_of(page: Page, path: str) -> dict[str, Any]:
    """What the management API says, with the session of whoever is signed in."""
    answer = page.request.get(
        f"{page.url.split('/', 3)[0]}//{page.url.split('/')[2]}/api/v1/projects/acme/{path}"
    )
    assert answer.ok, answer.text()
    return dict(answer.json())


def request_promotion(page: Page, environment: str) -> None:
    page.locator("summary", has_text=f"Request promotion to {environment}").click()
    form = page.locator("form", has=page.locator(f"input[name=environment][value={environment}]"))
    form.locator("[name=reason]").fill("Partners cannot connect.")
    form.get_by_role("button", name="Request promotion").click()
    page.wait_for_url(re.compile(r"/releases/promotions/"))


def test_a_change_goes_from_edit_to_rollback_by_itself(
    instance: Instance, sign_in: Callable[[str], Page]
) -> None:
    SHOTS.mkdir(exist_ok=True)
    owner = sign_in("owner")
    owner.goto(f"{instance.console_url}/releases/environments/production/policy/?edit")
    owner.fill("textarea[name=body]", json.dumps(QUICK, indent=2))
    owner.locator("form", has=owner.locator("textarea[name=body]")).locator("[name=reason]").fill(
        "Seconds, for a test."
    )
    owner.locator("form", has=owner.locator("textarea[name=body]")).locator("button.btn-primary").click()
    eventually(
        lambda: state_of(owner, "environments/production/policy/")["body"]["rollback_interval_s"] == 2,
        within_s=10, what="the owner's policy is in force",
    )  # fmt: skip

    # The writer's well-meant edit.
    writer = sign_in("writer")
    writer.goto(f"{instance.console_url}/prompts/{content.PROMPT}/edit/")
    example = writer.locator("textarea").filter(has_text="10.20.0.0/16").first
    example.fill('{"key": "allowed_cidr", "value": "0.0.0.0/0"}')
    writer.get_by_role("button", name="Save", exact=True).click()
    writer.wait_for_load_state("networkidle")
    writer.screenshot(path=SHOTS / "1-editor.png", full_page=True)
    writer.goto(f"{instance.console_url}/prompts/{content.PROMPT}/publish/")
    writer.screenshot(path=SHOTS / "2-publish.png", full_page=True)
    writer.fill("[name=changelog]", "Let partners connect from anywhere.")
    writer.get_by_role("button", name=re.compile("^Publish")).click()
    expect(writer.locator("main")).to_contain_text("1.0.1")

    # Composed, and live in staging after real smoke calls.
    writer.goto(f"{instance.console_url}/releases/compose/?feature={content.FEATURE}")
    writer.select_option(f"select[name='prompt:{content.PROMPT}']", "1.0.1")
    writer.screenshot(path=SHOTS / "3-compose.png", full_page=True)
    writer.get_by_role("button", name="Compose release").click()
    writer.wait_for_url(re.compile(r"/releases/[0-9a-f-]{36}/"))
    release_url = writer.url
    request_promotion(writer, "staging")

    def live_in_staging() -> bool:
        answer = state_of(writer, f"features/{content.FEATURE}/active/?environment=staging")
        return bool(answer["release"]["version"] == "1.1.0")

    eventually(live_in_staging, within_s=180, what="release 1.1.0 is live in staging")
    writer.goto(release_url)
    request_promotion(writer, "production")
    promotion_url = writer.url
    promotion = re.findall(r"/promotions/([0-9a-f-]{36})/", promotion_url)[0]
    eventually(
        lambda: state_of(writer, f"promotions/{promotion}/")["promotion"]["state"] == "awaiting_approval",
        within_s=180, what="the gates passed",
    )  # fmt: skip
    writer.reload()
    expect(writer.get_by_role("button", name="Approve")).to_have_count(0)
    expect(writer.locator("main")).to_contain_text("You cannot approve this")

    approver = sign_in("approver")
    approver.goto(promotion_url)
    approver.screenshot(path=SHOTS / "4-promotion.png", full_page=True)
    approver.get_by_role("button", name="Approve", exact=True).click()
    eventually(
        lambda: state_of(approver, f"promotions/{promotion}/")["promotion"]["state"] == "rolling_out",
        within_s=60, what="the rollout started",
    )  # fmt: skip

    # The operator looks at the page once and never reloads it.
    operator = sign_in("operator")
    rollouts = state_of(operator, "rollouts/")["results"]
    rollout = next(row for row in rollouts if row["state"] == "running")
    operator.goto(f"{instance.console_url}/releases/rollouts/{rollout['id']}/")
    expect(operator.locator("main")).to_contain_text("In shadow")
    in_shadow(instance, lambda: state_of(operator, f"rollouts/{rollout['id']}/")["rollout"]["weight_bp"] == 0)
    expect(operator.locator("main")).to_contain_text("2 %")
    canary, stable = units(instance, "candidate", 8), units(instance, "stable", 8)
    assert all(ask(instance, unit, "Let the vendor network in.")["body"]["choices"] for unit in stable)
    shown = [
        ask(instance, unit, "Let the vendor network in.")["body"]["choices"][0]["message"]["content"]
        for unit in canary
    ]
    assert not [text for text in shown if "/0" in text], "a flagged answer reached a user"
    assert content.CONFIG_BODY["policy"]["message"] in shown

    eventually(
        lambda: state_of(operator, f"rollouts/{rollout['id']}/")["rollout"]["state"] == "rolled_back",
        within_s=150, what="the rollout went down by itself",
    )  # fmt: skip
    expect(operator.locator("main")).to_contain_text(re.compile("rolled back", re.IGNORECASE))
    operator.screenshot(path=SHOTS / "5-rollout.png", full_page=True)
    decisions = state_of(operator, f"rollouts/{rollout['id']}/")["decisions"]
    weights = sorted({row["to_weight_bp"] for row in decisions}, reverse=True)
    assert weights == [200, 150, 100, 50, 0]

    # Withdrawn units get the deterministic text until somebody mitigates the incident.
    withdrawn = ask(instance, canary[0], "Let the vendor network in.")
    assert withdrawn["headers"]["x-promptstore-arm"] == "safe"
    assert (
        withdrawn["body"]["choices"][0]["message"]["content"] == content.CONFIG_BODY["safe_mode"]["template"]
    )
    incidents = state_of(operator, "incidents/")["results"]
    assert [incident["severity"] for incident in incidents] == ["P1"]
    operator.goto(f"{instance.console_url}/incidents/{incidents[0]['id']}/")
    operator.screenshot(path=SHOTS / "6-incident.png", full_page=True)
    operator.locator("summary", has_text="Mitigate").click()
    form = operator.locator("form[action*=mitigate]")
    if form.locator("[name=reason]").count():
        form.locator("[name=reason]").fill("The example is reverted.")
    form.get_by_role("button", name=re.compile("Mitigate", re.IGNORECASE)).click()

    def back_to_stable() -> bool:
        return bool(
            ask(instance, canary[0], "Use eight worker processes.")["headers"]["x-promptstore-arm"]
            == "stable"
        )

    eventually(back_to_stable, within_s=30, what="mitigation gives the units back to stable")

    auditor = sign_in("auditor")
    auditor.goto(f"{instance.console_url}/audit/")
    auditor.screenshot(path=SHOTS / "7-audit.png", full_page=True)
    auditor.get_by_role("button", name=re.compile("Verify", re.IGNORECASE)).click()
    expect(auditor.locator("main")).to_contain_text(re.compile("the log is whole", re.IGNORECASE))
