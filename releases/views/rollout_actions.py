"""The four things a person may do to a rollout: what each will do, or why it cannot be done now."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from promptstore.core.actors import Actor
from promptstore.core.permissions import allows
from releases.models import Rollout
from releases.plans import rollback_weights
from releases.policies import Policy
from releases.rules.sentences import duration, weight
from releases.selectors.policies import policy_of
from releases.services.rollouts import canary_shortfall
from releases.states import ROLLOUT, RolloutState


@dataclass(frozen=True)
class Action:
    """One button. `why_not` is empty when it may be pressed; `ways` are choices `(value, words)`, the first one preset."""

    key: str
    label: str
    icon: str
    tone: str
    title: str
    submit: str
    url: str
    consequences: tuple[str, ...]
    why_not: str
    ways: tuple[tuple[str, str], ...] = ()
    expected_step: int | None = None

    @property
    def shortcut(self) -> str:
        """The single key that opens it. Pause and resume share one: they are never possible at once."""
        return {"pause": "p", "resume": "p", "advance": "u", "roll_back": "b"}[self.key]


def actions_for(actor: Actor, rollout: Rollout) -> list[Action]:
    """Pause, resume, promote now, roll back: always all four, so that nobody has to look for one."""
    policy = policy_of(rollout.promotion.policy)
    return [
        _pause(actor, rollout),
        _resume(actor, rollout),
        _advance(actor, rollout),
        _roll_back(actor, rollout, policy),
    ]


def _pause(actor: Actor, rollout: Rollout) -> Action:
    in_shadow = rollout.step.is_shadow
    return Action(
        key="pause",
        label="Pause…",
        icon="pause",
        tone="neutral",
        title="Pause in shadow?" if in_shadow else f"Pause at {weight(rollout.weight_bp)}?",
        submit="Pause",
        url=_url(rollout, "pause"),
        consequences=(
            "The candidate keeps answering copies of calls; nothing goes further up."
            if in_shadow
            else f"The candidate keeps {weight(rollout.weight_bp)} of the units; nothing goes further up.",
            "Rules are still measured: a breach still rolls back.",
        ),
        why_not=_why_not(actor, rollout, "pause"),
    )


def _resume(actor: Actor, rollout: Rollout) -> Action:
    return Action(
        key="resume",
        label="Resume…",
        icon="play",
        tone="neutral",
        title="Resume the rollout?",
        submit="Resume",
        url=_url(rollout, "resume"),
        consequences=(
            "It goes on from where it stands, as soon as time, samples and all rules allow.",
            "The time it was paused counts towards the step.",
        ),
        why_not=_why_not(actor, rollout, "resume"),
    )


def _advance(actor: Actor, rollout: Rollout) -> Action:
    steps = rollout.plan.steps
    is_last = rollout.step_index + 1 == len(steps)
    if is_last:
        title, told = (
            "Make the candidate stable now?",
            f"{rollout.candidate} becomes the stable release for everybody.",
        )
    elif steps[rollout.step_index + 1].is_shadow:
        title, told = "Go on to the next shadow step now?", "Still nobody sees what the candidate answers."
    else:
        following = weight(steps[rollout.step_index + 1].weight_bp)
        title = f"Go on to {following} now?"
        told = f"The candidate takes {following} of the units instead of {weight(rollout.weight_bp)}."
    return Action(
        key="advance",
        label="Promote now…",
        icon="arrow-up",
        tone="neutral",
        title=title,
        submit="Promote now",
        url=_url(rollout, "advance"),
        consequences=(
            told,
            "The rest of this step's time and samples is skipped. Your name and reason are kept.",
        ),
        why_not=_why_not(actor, rollout, "advance") or canary_shortfall(rollout),
        expected_step=rollout.step_index,
    )


def _roll_back(actor: Actor, rollout: Rollout, policy: Policy) -> Action:
    units = (
        "Units that leave get the safe mode until the incident, if there is one, is mitigated."
        if rollout.on_withdraw == "safe_mode"
        else "Units that leave get the stable release."
    )
    if rollout.state == RolloutState.ROLLING_BACK:
        return Action(
            key="roll_back",
            label="Cut now…",
            icon="bolt",
            tone="harm",
            title="Take the rest away at once?",
            submit="Cut to 0 %",
            url=_url(rollout, "roll_back"),
            consequences=(f"The last {weight(rollout.weight_bp)} leave the candidate within seconds.", units),
            why_not=_why_not(actor, rollout, "cut"),
            ways=(("at_once", "At once"),),
        )
    if not rollout.weight_bp:
        units = "No user ever got the candidate, so nobody notices."
    down = " → ".join(weight(stop) for stop in rollback_weights(rollout.weight_bp))
    target = f" to {rollout.baseline.version}" if rollout.baseline else ""
    return Action(
        key="roll_back",
        label="Roll back…",
        icon="rollback",
        tone="harm",
        title=f"Roll back{target}?",
        submit="Roll back",
        url=_url(rollout, "roll_back"),
        consequences=("This promotion ends; bringing the release back takes a new one.", units),
        why_not=_why_not(actor, rollout, "roll_back"),
        ways=(("at_once", "At once: it answers no more copies of calls"),)
        if not rollout.weight_bp
        else (
            ("steps", f"In steps: {down}, {duration(policy.rollback_interval_s)} apart"),
            ("at_once", "At once: 0 % within seconds"),
        ),
    )


_NOT_NOW = {
    "pause": {
        RolloutState.PAUSED: "It is paused already.",
        RolloutState.ROLLING_BACK: "It is rolling back.",
        RolloutState.PENDING: "It has not started.",
    },
    "resume": {
        RolloutState.RUNNING: "It is running.",
        RolloutState.ROLLING_BACK: "It is rolling back.",
        RolloutState.PENDING: "It has not started.",
    },
    "advance": {
        RolloutState.PAUSED: "It is paused: resume it first.",
        RolloutState.ROLLING_BACK: "It is rolling back.",
        RolloutState.PENDING: "It has not started.",
    },
}


def _why_not(actor: Actor, rollout: Rollout, action: str) -> str:
    row = next((row for row in ROLLOUT.outgoing(RolloutState(rollout.state)) if row.action == action), None)
    if row is None:
        return _NOT_NOW.get(action, {}).get(RolloutState(rollout.state), "The rollout is over.")
    if not allows(actor, row.permission, project_id=rollout.project_id):
        return "Your roles in this project do not allow it."
    return ""


def _url(rollout: Rollout, action: str) -> str:
    return reverse(f"releases:rollout_{action}", args=[rollout.pk])
