"""From a unit and a pin to an arm and the release behind it."""

from __future__ import annotations

from typing import NamedTuple

from promptstore.core.errors import DomainError, InvalidInput, NotFound
from releases.routing import Arm, route
from serving.documents import FeatureDocument, Release
from serving.pins import Pin, Pins
from serving.prepared import Prepared, prepare
from serving.state import EnvironmentState, FeatureState

MAX_UNIT_CHARS = 200
PINNED = "pinned"
_TAKES_TRAFFIC = frozenset({"running", "paused"})


class UnknownFeature(NotFound):
    """No document for this feature in the key's environment."""

    code = "unknown_feature"
    title = "Unknown feature"


class UnreadableFeatureError(DomainError):
    """The feature's document uses what only a later version of the node understands, and there was no earlier one."""

    code = "unreadable_feature"
    status = 503
    title = "This node is too old for the feature"


class NoActiveReleaseError(DomainError):
    """The feature exists, and nothing is live."""

    code = "no_active_release"
    status = 404
    title = "No active release"


class Decision(NamedTuple):
    """What one call gets. In safe mode `release` is the one whose safe mode answers.

    Nothing else of it runs.
    """

    environment: EnvironmentState
    feature: FeatureState
    arm: Arm
    reason: str
    release: Release

    @property
    def name(self) -> str:
        return self.feature.document.feature

    @property
    def rollout_id(self) -> str | None:
        rollout = self.feature.document.rollout
        return rollout.id if rollout else None


def find_feature(environment: EnvironmentState, name: str) -> FeatureState:
    """Raises `UnknownFeature`, and `UnreadableFeatureError` where only a later version of the node could serve it."""
    feature = environment.features.get(name)
    if feature is None and name in environment.unread:
        raise UnreadableFeatureError(
            f"This node cannot read the document of {name} ({environment.unread[name].error.detail}). Upgrade the node."
        )
    if feature is None:
        raise UnknownFeature(f"Nothing named {name[:80]!r} is served in {environment.name}.", field="feature")
    return feature


def choose_arm(
    environment: EnvironmentState, document: FeatureDocument, unit: str | None, pin: str | None, pins: Pins
) -> tuple[Arm, str]:
    """The arm of one call and why.

    A pin wins over the bucket as long as its rollout lives and its arm was not withdrawn.
    """
    if pin:
        arm = _pinned_arm(environment, document, pin, pins)
        if arm is not None:
            return arm, PINNED
    arm, reason = route(document.routing, unit)
    return arm, reason._value_  # what `.value` returns, without its descriptor: this runs for every call


def decide(
    environment: EnvironmentState, feature: FeatureState, *, unit: str | None, pin: str | None, pins: Pins
) -> Decision:
    """Route one call; see `choose_arm`.

    Raises `NoActiveReleaseError` when there is neither a live release nor a rollout.
    """
    document = feature.document
    arm, reason = choose_arm(environment, document, unit, pin, pins)
    release = document.stable if arm is Arm.STABLE else document.candidate or document.stable
    if release is None:
        raise NoActiveReleaseError(
            f"No release of {document.feature} is live in {environment.name}; promote one.", field="feature"
        )
    return Decision(environment, feature, arm, reason, release)


def _pinned_arm(
    environment: EnvironmentState, document: FeatureDocument, token: str, pins: Pins
) -> Arm | None:
    pin, rollout = pins.read(token), document.rollout
    if pin is None or rollout is None or pin.rollout_id != rollout.id:
        return None
    if pin.feature != document.feature or pin.environment_id != environment.root.signed.environment_id:
        return None
    if pin.arm is Arm.STABLE and document.stable is not None:
        return Arm.STABLE
    # On the way down the candidate is being withdrawn: from then on only the bucket decides.
    if pin.arm is Arm.CANDIDATE and rollout.state in _TAKES_TRAFFIC and document.routing.candidate_bp:
        return Arm.CANDIDATE
    return None


def issue_pin(decision: Decision, pins: Pins) -> str:
    """The token that keeps a conversation on this arm."""
    environment_id = decision.environment.root.signed.environment_id
    return pins.issue(Pin(environment_id, decision.name, decision.arm, decision.rollout_id))


def prepared(
    environment: EnvironmentState, feature: FeatureState, *, unit: str | None, pin: str | None, pins: Pins
) -> Prepared:
    """The ready resolve answer of one call, built on the first call of this arm in this generation."""
    arm, reason = choose_arm(environment, feature.document, unit, pin, pins)
    key = (arm._value_, reason)
    ready = feature.prepared.get(key)
    if ready is None:
        decision = decide(environment, feature, unit=unit, pin=pin, pins=pins)
        ready = feature.prepared[key] = prepare(
            feature=decision.name,
            environment=environment.name,
            generation=environment.generation,
            arm=arm,
            reason=reason,
            release=decision.release,
            pin=issue_pin(decision, pins),
        )
    return ready


def check_unit(unit: object) -> str | None:
    """A unit from outside: text of 1 to 200 characters without NUL.

    None and empty mean no unit. Raises `InvalidInput`.
    """
    if unit is None or unit == "":
        return None

    if not isinstance(unit, str) or len(unit) > MAX_UNIT_CHARS or "\x00" in unit:
        raise InvalidInput(
            f"A unit is text of at most {MAX_UNIT_CHARS} characters without NUL.", field="unit"
        )
    return unit
