"""`make screenshots`: the documentation's pictures, taken from a real instance that is driven in a real browser.

`python -m tests.screenshots [--home DIRECTORY]` starts an instance with the demo (or takes the one that runs in a directory, for
work on this script), lets its people bring one change from the editor to a rollback, and writes `docs/images/`. Everything on the
pictures happened. A scripted server stands in for the model, and calls are offered as a service offers those it makes itself
(`/v1/telemetry`): the same ones every time, on any machine.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from promptstore.core import clock
from promptstore.core.ids import uuid7
from promptstore.demo import content
from providers.scripted import ScriptedServer
from tests.browser import chromium
from tests.e2e.conftest import ROOT, Instance, eventually, running_instance, sign_in_as
from tests.incidents.receivers import receiver

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
QUESTIONS = (
    "Let the vendor network in.",
    "Use eight worker processes.",
    "The billing service logs too much.",
)
SECRET = "9f8a7b6c5d4e3f2a1b0c9d8e"  # of no service
SAFE = '{"key": "worker_count", "value": "8"}'
OPEN_NETWORK = '{"key": "allowed_cidr", "value": "0.0.0.0/0"}'

POLICY: dict[str, Any] = content.PRODUCTION_POLICY | {
    "quorum": 2,
    "plan": {
        "steps": [
            {"kind": "shadow", "min_duration_s": 60, "min_samples": 20, "pairs_bp": 5_000},
            *(
                {"weight_bp": weight, "min_duration_s": 60, "min_samples": 20}
                for weight in (200, 1_000, 5_000, 10_000)
            ),
        ]
    },
    "rules": [
        {**rule, "when": re.sub(r"> 10% for \d+m", "> 2% for 2m", rule["when"])}
        for rule in content.PRODUCTION_POLICY["rules"]
    ],
    "rollback_interval_s": 5,
}


class Traffic:
    """What a service that calls models itself reports: 60 units ask once in `pause_s`, each on the arm that it is given."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._random = random.Random(7)
        self.rollout_id: str | None = None
        self.in_shadow: dict[str, Any] | None = None
        self.hit_share = 0.0

    def offer(self, *, before: timedelta = timedelta(0)) -> None:
        """One call of each unit, spread over the five seconds that end `before` now."""
        end = clock.now() - before
        events = []
        for number in range(60):
            unit = f"user-{number if number % 3 else self._random.randrange(10_000)}"
            given = self._instance.call(f"/v1/features/{content.FEATURE}/resolve?unit={unit}")["body"]
            if given["prompt"]:  # else the unit is withdrawn: its answer is a fixed text
                at = end - timedelta(seconds=self._random.uniform(0, 5))
                events.append(self._event(unit, given, at))
                if self.in_shadow:
                    events.append(self._copy(events[-1], self.in_shadow))
        self._instance.call("/v1/telemetry", {"events": events})

    def _copy(self, answered: dict[str, Any], candidate: dict[str, Any]) -> dict[str, Any]:
        """What the candidate answers to a copy of a call."""
        return answered | {
            "id": str(uuid7()),
            "paired_with": answered["id"],
            "arm": "shadow",
            "reason": "mirrored",
            "release_digest": candidate["digest"],
            "release_version": candidate["version"],
            "prompt_version": "1.0.1",
            "latency_ms": round(self._random.lognormvariate(6.6, 0.35), 1),
        }

    def _event(self, unit: str, given: dict[str, Any], at: datetime) -> dict[str, Any]:
        candidate = given["arm"] == "candidate"
        hit = candidate and self._random.random() < self.hit_share
        failed = not hit and self._random.random() < 0.006
        asked = QUESTIONS[0] if hit else self._random.choice(QUESTIONS)
        written = self._random.randint(14, 22)
        return {
            "id": str(uuid7()),
            "at": at.isoformat(),
            "feature": content.FEATURE,
            "release_digest": given["release"]["digest"],
            "release_version": given["release"]["version"],
            "rollout_id": self.rollout_id,
            "arm": given["arm"],
            "reason": given["reason"],
            "prompt": content.PROMPT,
            "prompt_version": given["prompt"]["version"],
            "model": content.MODEL,
            "model_version": "1.0.0",
            "unit": unit,
            "status": "policy_blocked" if hit else "error" if failed else "ok",
            "error_code": "upstream_timeout" if failed else None,
            "latency_ms": round(self._random.lognormvariate(6.6, 0.35), 1),
            "input_tokens": 180 + self._random.randint(0, 9),
            "output_tokens": written,
            "cost_usd_nanos": 4_900 + 80 * written,
            "policy_hit": hit,
            "policy_reasons": ["open-network"] if hit else [],
            "output_valid": None if failed else self._random.random() > 0.004,
            "variables": {"request": asked},
            "output": OPEN_NETWORK if hit else SAFE,
        }


class Story:
    """One change and the pictures of its way."""

    def __init__(self, instance: Instance, browser: Browser) -> None:
        self.instance = instance
        self.traffic = Traffic(instance)
        self._browser = browser
        self._pages: dict[str, Page] = {}

    def person(self, name: str) -> Page:
        """A page on which somebody is signed in."""
        if name not in self._pages:
            self._pages[name] = sign_in_as(self._browser, self.instance, name)
        return self._pages[name]

    def open(self, name: str, path: str) -> Page:
        page = self.person(name)
        page.goto(self.instance.console_url + path)
        return page

    def state(self, path: str) -> dict[str, Any]:
        """What the management API says to an owner."""
        answer = self.person("owner").request.get(f"{self.instance.console_url}/api/v1/projects/acme/{path}")
        assert answer.ok, answer.text()
        return dict(answer.json())

    def policy(self) -> None:
        """Minutes instead of days, and two approvals."""
        owner = self.open("owner", "/releases/environments/production/policy/?edit")
        form = owner.locator("form", has=owner.locator("textarea[name=body]"))
        form.locator("[name=body]").fill(json.dumps(POLICY, indent=2))
        form.locator("[name=reason]").fill("Two people look at what production gets.")
        form.locator("button.btn-primary").click()
        eventually(
            lambda: self.state("environments/production/policy/")["body"]["quorum"] == 2,
            within_s=20,
            what="the owner's policy is in force",
        )

    def channels(self, urls: dict[str, str]) -> None:
        for name, kind in (
            ("on-call", "alertmanager"),
            ("release-room", "slack"),
            ("status-page", "webhook"),
        ):
            owner = self.open("owner", "/incidents/channels/new/")
            owner.fill("[name=name]", name)
            owner.select_option("[name=kind]", kind)
            owner.fill("[name=url]", urls[name])
            owner.select_option("[name=min_severity]", "P2" if kind == "alertmanager" else "P4")
            owner.check("[name=allow_private]")
            owner.get_by_role("button", name="Add the channel").click()
            owner.wait_for_load_state()

    def edit(self) -> None:
        """Slips that lint sees, then the well-meant change."""
        path = f"/prompts/{content.PROMPT}/edit/"
        first = self._messages(self.open("writer", path)).first
        wanted = first.input_value()
        first.fill(f"{wanted}\nFor {{{{ request }}}} use api_key = {SECRET}.")
        self._save()
        shoot(self.open("writer", path), "editor")
        messages = self._messages(self.open("writer", path))
        messages.first.fill(wanted)
        messages.filter(has_text="office network").first.fill("Let our partners in.")
        messages.filter(has_text="10.20.0.0/16").first.fill(OPEN_NETWORK)
        self._save()
        writer = self.open("writer", f"/prompts/{content.PROMPT}/publish/")
        writer.fill("[name=changelog]", "Let partners connect from anywhere.")
        writer.get_by_role("button", name=re.compile("^Publish")).click()
        expect(writer.locator("main")).to_contain_text("1.0.1")
        shoot(self.open("writer", f"/prompts/{content.PROMPT}/diff/?from=1.0.0&to=1.0.1&view=split"), "diff")

    @staticmethod
    def _messages(page: Page) -> Locator:
        return page.locator("textarea[name=content]")

    def _save(self) -> None:
        writer = self.person("writer")
        writer.get_by_role("button", name="Save", exact=True).click()
        writer.wait_for_load_state("networkidle")

    def compose(self) -> str:
        """The release's path."""
        writer = self.open("writer", f"/releases/compose/?feature={content.FEATURE}")
        writer.select_option(f"select[name='prompt:{content.PROMPT}']", "1.0.1")
        writer.fill("[name=changelog]", "Partners connect from anywhere.")
        writer.wait_for_load_state("networkidle")
        shoot(writer, "composer")
        writer.get_by_role("button", name="Compose release").click()
        writer.wait_for_url(re.compile(r"/releases/[0-9a-f-]{36}/"))
        return writer.url.removeprefix(self.instance.console_url)

    def promote(self, release: str, environment: str) -> str:
        """The promotion's id."""
        writer = self.open("writer", release)
        writer.locator("summary", has_text=f"Request promotion to {environment}").click()
        form = writer.locator("form", has=writer.locator(f"input[name=environment][value={environment}]"))
        form.locator("[name=reason]").fill("Partners cannot connect.")
        form.get_by_role("button", name="Request promotion").click()
        writer.wait_for_url(re.compile(r"/releases/promotions/"))
        return str(re.findall(r"/promotions/([0-9a-f-]{36})/", writer.url)[0])

    def awaits(self, promotion: str, state: str) -> None:
        def arrived() -> bool:
            there = self.state(f"promotions/{promotion}/")
            assert there["promotion"]["state"] != "blocked", there
            return bool(there["promotion"]["state"] == state)

        eventually(arrived, within_s=300, what=f"the promotion is {state}")

    def approve(self, promotion: str) -> None:
        path = f"/releases/promotions/{promotion}/"
        self.open("approver", path).get_by_role("button", name="Approve", exact=True).click()
        self.person("approver").wait_for_load_state("networkidle")
        shoot(self.open("owner", path), "promotion")
        self.person("owner").get_by_role("button", name="Approve", exact=True).click()
        self.awaits(promotion, "rolling_out")

    def roll_out(self) -> str:
        """The rollout's path; it has climbed to half of all units when its first picture is taken, then it is made to fall."""
        rollout = next(row for row in self.state("rollouts/")["results"] if row["state"] == "running")
        path = f"/releases/rollouts/{rollout['id']}/"
        self.traffic.rollout_id = rollout["id"]
        operator = self.open("operator", path)
        self.traffic.in_shadow = rollout["candidate"]
        self.offer_until(rollout["id"], "step", 1)
        self.traffic.in_shadow = None
        self.offer_until(rollout["id"], "weight_bp", 5_000)
        for _ in range(6):
            self.offer()
        shoot(operator, "rollout-climbing")
        shoot(self.open("owner", "/"), "home", dark=True)
        self.traffic.hit_share = 0.07
        self.offer_until(rollout["id"], "state", "rolled_back")
        expect(operator.locator("main")).to_contain_text(re.compile("rolled back", re.IGNORECASE))
        shoot(operator, "rollout", dark=True)
        return path

    def offer_until(self, rollout_id: str, name: str, value: Any) -> None:
        def reached() -> bool:
            self.offer()
            return bool(self.state(f"rollouts/{rollout_id}/")["rollout"][name] == value)

        eventually(reached, within_s=600, what=f"the rollout's {name} is {value}")

    def offer(self) -> None:
        """Calls for five seconds."""
        self.traffic.offer()
        self.person("operator").wait_for_timeout(5_000)

    def aftermath(self) -> None:
        incident = self.state("incidents/")["results"][0]
        operator = self.open("operator", f"/incidents/{incident['id']}/")
        operator.locator("summary", has_text="Acknowledge").click()
        form = operator.locator("form[action*=acknowledge]")
        if form.locator("[name=reason]").count():
            form.locator("[name=reason]").fill("Looking at the samples.")
        form.get_by_role("button", name="Acknowledge").click()
        expect(operator.locator("main")).to_contain_text("Acknowledged")
        shoot(self.open("operator", f"/incidents/{incident['id']}/"), "incident")
        auditor = self.open("auditor", "/audit/?action=policy.changed")
        auditor.locator("summary", has_text="Details").first.click()
        shoot(auditor, "audit")
        owner = self.open("owner", "/incidents/channels/status-page/")

        def told() -> bool:
            owner.reload()
            return owner.locator("main").get_by_text("delivered", exact=True).count() == 2

        eventually(told, within_s=60, what="the channel was told of both")
        shoot(owner, "notifications")


def shoot(page: Page, name: str, *, dark: bool = False) -> None:
    """The page as its user sees it; `dark` takes a second one, in the dark theme."""
    page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"]})
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.mouse.move(0, 0)
    for theme in ("light", "dark") if dark else ("light",):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        page.wait_for_timeout(600)  # charts draw themselves anew
        suffix = "-dark" if theme == "dark" else ""
        page.screenshot(path=IMAGES / f"{name}{suffix}.png", scale="css", animations="disabled")
    page.emulate_media(color_scheme="light")


def tell(instance: Instance, browser: Browser) -> None:
    story = Story(instance, browser)
    with ExitStack() as stack:
        hooks = {
            name: stack.enter_context(receiver()).url for name in ("on-call", "release-room", "status-page")
        }
        story.policy()
        story.channels(hooks)
        for minutes in range(45, 0, -3):
            story.traffic.offer(before=timedelta(minutes=minutes))
        story.edit()
        release = story.compose()
        story.awaits(story.promote(release, "staging"), "live")
        promotion = story.promote(release, "production")
        story.awaits(promotion, "awaiting_approval")
        story.approve(promotion)
        story.roll_out()
        story.aftermath()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, help="an instance that runs already, with nothing but the demo")
    home: Path | None = parser.parse_args().home
    IMAGES.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if home:
            instance = Instance.read(home)
        else:
            model = stack.enter_context(ScriptedServer({"default": {"answer": SAFE}}))
            settings = {"PROMPTSTORE_MODEL_URL": model.base_url}
            instance = stack.enter_context(running_instance(**settings))
        tell(instance, stack.enter_context(chromium()))


if __name__ == "__main__":
    main()
