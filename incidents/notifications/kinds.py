"""The kinds of channels. A new one is a module with `build` and `encode`, and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from incidents.notifications import alertmanager, pagerduty, signing, slack, webhook
from incidents.notifications.snapshot import IncidentSnapshot


class SecretUse(StrEnum):
    """What a kind does with a secret: `made` is generated where none is given."""

    MADE = "made"
    NEEDED = "needed"
    OPTIONAL = "optional"
    NONE = "none"


class Encode(Protocol):
    def __call__(
        self, payload: Any, *, secrets: Sequence[str], message_id: str, timestamp_s: int
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of one attempt; `secrets` has the current one first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How to talk to one kind of receiver.

    `mirrors_state`: the receiver keeps a state of its own per incident, so it gets every event, and an old one is not replayed.
    `check_secret` raises `ValueError` with what is wrong.
    """

    build: Callable[[IncidentSnapshot], Any]
    encode: Encode
    secret: SecretUse
    check_secret: Callable[[str], object]
    mirrors_state: bool
    default_url: str = ""


def _is_routing_key(secret: str) -> None:
    if len(secret) != 32 or not (secret.isascii() and secret.isalnum()):
        raise ValueError("a PagerDuty integration key has 32 letters and digits")


KINDS: Final[dict[str, Kind]] = {
    "webhook": Kind(
        build=webhook.build,
        encode=webhook.encode,
        secret=SecretUse.MADE,
        check_secret=signing.key_of,
        mirrors_state=False,
    ),
    "pagerduty": Kind(
        build=pagerduty.build,
        encode=pagerduty.encode,
        secret=SecretUse.NEEDED,
        check_secret=_is_routing_key,
        mirrors_state=True,
        default_url="https://events.pagerduty.com/v2/enqueue",
    ),
    "alertmanager": Kind(
        build=alertmanager.build,
        encode=alertmanager.encode,
        secret=SecretUse.OPTIONAL,
        check_secret=str,
        mirrors_state=True,
    ),
    "slack": Kind(
        build=slack.build,
        encode=slack.encode,
        secret=SecretUse.NONE,
        check_secret=str,
        mirrors_state=False,
    ),
}
