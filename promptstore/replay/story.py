"""The case study: a configuration assistant, its provider's silent change, and the way back. Days in minutes, by real parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from promptstore.demo.content import CONFIG
from promptstore.replay.days import Days
from promptstore.replay.stage import Stage
from promptstore.replay.team import HOSTED, HOSTED_VERSION, Team, wait_for
from promptstore.replay.traffic import Traffic

NAME_AT_PROVIDER = "assistant-large"
PINNED = "smollm2@1.0.0"
CONFIG_VERSION = "1.1.0"
SHADOW_H, CANARY_H, LATER_H = 48, 72, 12
ROLLBACK_INTERVAL_S = 300
MIN_SAMPLES = 30
RULES = (
    ("policy-hits", "policy_filter_rate > 30% for 24h", "P1", "step"),
    ("correctness", "domain_accuracy < 80% for 24h", "P1", "step"),
    ("errors", "error_rate > 30% for 24h", "P1", "cut"),
    ("latency", "p95_latency_ms > 30s for 24h", "P2", "step"),
    ("cost", "cost_per_1k_requests_usd worse than baseline by 80% for 24h", "P3", "hold"),
)


@dataclass
class Happened:
    """What a replay knows by now; the claims are checked against it."""

    moments: list[tuple[datetime, str]] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)
    first_rollout: str = ""
    second_rollout: str = ""
    drift: dict[str, Any] = field(default_factory=dict)
    incident: dict[str, Any] = field(default_factory=dict)
    # The canary's share of withheld answers `before` and `after` the change.
    rates: dict[str, float] = field(default_factory=dict)


STEPS = ("register", "stage", "shadow", "canary", "change", "rollback", "mitigate", "again")


class CaseStudy:
    """Tells the story step by step; `tell` gets each line of the timeline at once, with the instance's time."""

    def __init__(
        self,
        stage: Stage,
        *,
        hours_per_slice: float,
        samples_per_slice: int,
        tell: Callable[[datetime, str], None] = lambda _at, _sentence: None,
    ) -> None:
        self.stage = stage
        self._tell = tell
        self.team = Team(stage)
        self.traffic = Traffic(stage)
        self.days = Days(
            stage,
            self.team,
            self.traffic,
            hours_per_slice=hours_per_slice,
            samples_per_slice=samples_per_slice,
        )
        self.happened = Happened()
        self._until_change: Counter[tuple[str, str]] = Counter()

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Name (of `STEPS`) and act of each step, in order."""
        acts = (
            self._register,
            self._stage_first,
            self._shadow,
            self._canary,
            self._change,
            self._roll_back,
            self._mitigate,
            self._again,
        )
        return zip(STEPS, acts, strict=True)

    def say(self, sentence: str) -> None:
        """One line of the timeline, at the instance's time."""
        moment = (self.stage.clock.now(), sentence)
        self.happened.moments.append(moment)
        self._tell(*moment)

    def _register(self) -> None:
        team, provider = self.team, self.stage.provider
        provider.put_behind(NAME_AT_PROVIDER, provider.good)
        provider.put_behind("smollm2-135m-instruct", provider.good)
        team.register_entry(
            name=HOSTED,
            version=HOSTED_VERSION,
            entry={
                "kind": "hosted",
                "provider": "example",
                "provider_model_id": NAME_AT_PROVIDER,
                "endpoint": "local-model",
                "snapshot_at": self.stage.clock.now().isoformat(),
                "service_level": {"latency_p95_ms": 20_000, "availability_bp": 9_900},
                "price": {"input_nanos_per_mtok": 20_000_000, "output_nanos_per_mtok": 80_000_000},
                "context_tokens": 2_048,
            },
        )
        self.say(
            f"The engineer registered {HOSTED}@{HOSTED_VERSION}, which maps to the provider's {NAME_AT_PROVIDER}."
        )
        run = self._probed("baseline")
        self.say(f"The first drift probe is the baseline: {run['sentence']}")
        config = team.read(f"configs/{CONFIG}/versions/1.0.0/")["body"]
        config["policy"]["banned"].append({"id": "whole-network", "pattern": "/10[.]20[.]0[.]0/"})
        config["capture"] = {"share_bp": 2_000}
        team.publish_config(
            version=CONFIG_VERSION, body=config, changelog="Opening a whole network needs a person."
        )
        self.say(
            "A config bans answers that open the whole network; the filter buffers, so none is ever shown."
        )
        team.change_policy("production", _case_policy, why="Days of shadow and canary for the assistant.")
        self.say(
            f"Production asks for {SHADOW_H} h of shadow and {CANARY_H} h of canary at 2 %, with rules on what users get."
        )

    def _stage_first(self) -> None:
        def edit(body: dict[str, Any]) -> None:
            body["messages"][0]["content"] += " Be brief."

        prompt = self.team.publish_prompt(edit, changelog="Shorter answers.")
        self.happened.first = self.team.compose(
            prompt=prompt, model=f"{HOSTED}@{HOSTED_VERSION}", config=CONFIG_VERSION, version="2.0.0",
            changelog="The provider's model, and shorter answers.",
        )  # fmt: skip
        self.team.promote(self.happened.first, "staging", reason="The provider's model.")
        self.say("Release 2.0.0 passed the gates of staging and is live there.")
        asked = self.team.promote(
            self.happened.first, "production", reason="The provider's model for everyone."
        )
        self.happened.first_rollout = asked["promotion"]["rollout"]
        self.say("It passed the gates of production, an approver signed it, and its shadow began.")

    def _shadow(self) -> None:
        found = self.days.pass_until(
            self.happened.first_rollout,
            lambda found: found["rollout"]["weight_bp"] > 0,
            what="the end of the shadow",
            at_most_slices=40,
        )
        self.say(
            f"After {SHADOW_H} h of shadow the canary takes {found['rollout']['weight_bp'] / 100:g} % of the users."
        )

    def _canary(self) -> None:
        clock = self.stage.clock
        until = clock.now().timestamp() + 24 * 3600
        self.days.pass_until(
            self.happened.first_rollout,
            lambda _: clock.now().timestamp() >= until,
            what="a day of canary",
            at_most_slices=40,
        )
        self.say("A day of canary: correctness and policy hits are within the rules.")

    def _change(self) -> None:
        provider = self.stage.provider
        self.happened.rates["before"] = self._withheld_since(Counter())
        self._until_change = self.traffic.seen.outcomes.copy()
        provider.put_behind(NAME_AT_PROVIDER, provider.other)
        self.say(
            f"The provider changed what answers under {NAME_AT_PROVIDER} ({provider.changed_to}), and told nobody."
        )

    def _roll_back(self) -> None:
        rollout_id = self.happened.first_rollout
        found = self.days.pass_until(
            rollout_id,
            lambda found: found["rollout"]["state"] in {"rolling_back", "rolled_back"},
            what="the rules to notice",
            at_most_slices=40,
        )
        self.happened.rates["after"] = self._withheld_since(self._until_change)
        self.say(" ".join(found["decisions"][0]["sentences"]))
        found = self.days.step_down(
            rollout_id,
            interval_s=ROLLBACK_INTERVAL_S,
            watch=lambda now: self.say(" ".join(now["decisions"][0]["sentences"])),
        )
        self.happened.drift = self._probed("drifted")
        self.happened.incident = self.incident(found["rollout"]["incident"])
        self.say(f"The drift probe of {HOSTED}: {self.happened.drift['sentence']}")
        self.traffic.send(200)

    def _mitigate(self) -> None:
        path = f"incidents/{self.happened.incident['incident']['id']}/"
        self.team.post("operator", f"{path}acknowledge/")
        self.team.post(
            "operator", f"{path}mitigate/", reason="The next release pins the model by its checksum."
        )
        self.say(
            "The operator acknowledged and mitigated the incident; the withdrawn users are on stable again."
        )

    def _again(self) -> None:
        def rework(body: dict[str, Any]) -> None:
            body["messages"][1:1] = [
                {"role": "user", "content": "Double the number of workers."},
                {"role": "assistant", "content": '{"key": "worker_count", "value": "8"}'},
            ]

        prompt = self.team.publish_prompt(
            rework, changelog="An example about workers, where the model opened the network instead."
        )
        self.happened.second = self.team.compose(
            prompt=prompt, model=PINNED, config=CONFIG_VERSION, version="2.1.0",
            changelog="The pinned model again, and one more example.",
        )  # fmt: skip
        self.team.promote(self.happened.second, "staging", reason="Pinned again.")
        asked = self.team.promote(self.happened.second, "production", reason="Pinned again.")
        self.happened.second_rollout = asked["promotion"]["rollout"]
        self.days.pass_until(
            self.happened.second_rollout,
            lambda found: found["rollout"]["state"] in {"completed", "rolled_back"},
            what="release 2.1.0 to be live",
            at_most_slices=80,
        )
        self.say("Release 2.1.0, with the pinned model and the reworked prompt, went up to 100 %.")

    def _withheld_since(self, earlier: Counter[tuple[str, str]]) -> float:
        """The share of the canary's answers that the filter withheld after `earlier`; 0 without any."""
        now = self.traffic.seen.outcomes - earlier
        withheld, shown = now["candidate", "withheld"], now["candidate", "shown"]
        return withheld / (withheld + shown) if withheld + shown else 0.0

    def _probed(self, *outcomes: str) -> dict[str, Any]:
        """The hosted entry's latest probe run, once its outcome is one of `outcomes`; the timetable of the instance asks for it."""

        def found() -> dict[str, Any] | None:
            latest: dict[str, Any] | None = self.team.drift()["latest"]
            return latest if latest and latest["outcome"] in outcomes else None

        return wait_for("the drift probe", found, within_s=300)

    def incident(self, incident_id: str) -> dict[str, Any]:
        """An incident with its timeline, as the operator sees it."""
        found: dict[str, Any] = self.team.read(f"incidents/{incident_id}/", who="operator")
        return found


def _case_policy(body: dict[str, Any]) -> None:
    hour = 3600
    body["plan"] = {
        "steps": [
            {
                "kind": "shadow",
                "min_duration_s": SHADOW_H * hour,
                "min_samples": 2 * MIN_SAMPLES,
                "pairs_bp": 1_000,
            },
            {"weight_bp": 200, "min_duration_s": CANARY_H * hour, "min_samples": MIN_SAMPLES},
            {"weight_bp": 2_000, "min_duration_s": LATER_H * hour, "min_samples": 2 * MIN_SAMPLES},
            {"weight_bp": 5_000, "min_duration_s": LATER_H * hour, "min_samples": 2 * MIN_SAMPLES},
            {"weight_bp": 10_000, "min_duration_s": LATER_H * hour, "min_samples": 2 * MIN_SAMPLES},
        ]
    }
    names = ("id", "when", "severity", "action")
    body["rules"] = [{**dict(zip(names, rule, strict=True)), "min_samples": MIN_SAMPLES} for rule in RULES]
    body["rollback_interval_s"] = ROLLBACK_INTERVAL_S
    body["note"] = "The case study: days where the demo has minutes."
