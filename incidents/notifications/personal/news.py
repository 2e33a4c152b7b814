"""One thing that happened, as a message tells it: names and numbers alone, nothing that people or models wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from incidents.notifications.personal.events import TEST, PersonalEvent

_E = PersonalEvent
_HEADLINES: Final[dict[str, str]] = {
    _E.APPROVAL_REQUESTED: "{release} waits for your approval for {environment}",
    _E.APPROVED: "{release} is approved for {environment}",
    _E.REJECTED: "{release} is rejected for {environment}",
    _E.APPROVALS_DISMISSED: "The approvals of {release} for {environment} no longer count",
    _E.BLOCKED: "Its checks block {release} for {environment}",
    _E.EXPIRED: "The promotion of {release} to {environment} has expired",
    _E.CANCELLED: "The promotion of {release} to {environment} was cancelled",
    _E.SUPERSEDED: "{release} for {environment} was overtaken by another release",
    _E.LIVE: "{release} is live in {environment}",
    _E.ROLLED_BACK: "{release} is rolled back in {environment}",
    _E.ROLLOUT_STARTED: "The rollout of {release} in {environment} has started {place}",
    _E.STEPPED_UP: "{release} in {environment} goes up from {origin} to {after}",
    _E.STEPPED_DOWN: "{release} in {environment} goes down from {before} to {after}",
    _E.PAUSED: "The rollout of {release} in {environment} is paused {place}",
    _E.RESUMED: "The rollout of {release} in {environment} goes on {place}",
    _E.ROLLOUT_ROLLED_BACK: "{release} is rolled back in {environment}",
    _E.ROLLOUT_COMPLETED: "{release} is live in {environment}",
    _E.ROLLOUT_ABORTED: "The rollout of {release} in {environment} was called off",
    _E.INCIDENT_OPENED: "{severity} incident: {feature} in {environment}",
    _E.INCIDENT_RESOLVED: "Resolved: the {severity} incident of {feature} in {environment}",
    TEST: "This is a test. Nothing has happened",
}


@dataclass(frozen=True, slots=True)
class News:
    """`at` is ISO 8601 in UTC, `url` the page about it, `settings_url` the page where it is chosen; weights in basis points.

    `event` is a `PersonalEvent`, or `TEST`. What does not apply is empty or `None`.
    """

    event: str
    at: str
    actor: str
    project: str
    url: str
    settings_url: str
    environment: str = ""
    feature: str = ""
    release: str = ""
    severity: str = ""
    from_weight_bp: int | None = None
    to_weight_bp: int | None = None

    @property
    def headline(self) -> str:
        """The news in one line."""
        return _HEADLINES[self.event].format(
            release=self.release,
            environment=self.environment,
            feature=self.feature,
            severity=self.severity,
            before=_percent(self.from_weight_bp),
            after=_percent(self.to_weight_bp),
            # What goes up, or stands still, without any weight is in shadow: nobody gets its answers yet.
            origin=_percent(self.from_weight_bp) if self.from_weight_bp else "shadow",
            place=f"at {_percent(self.to_weight_bp)}" if self.to_weight_bp else "in shadow",
        )


def build(news: News) -> dict[str, Any]:
    """The message as it is kept, and the body that a personal webhook gets (Standard Webhooks). Members are only ever added."""
    return {
        "type": str(news.event),
        "timestamp": news.at,
        "data": {
            "text": f"{news.headline}.",
            "actor": news.actor,
            "project": news.project,
            "environment": news.environment or None,
            "feature": news.feature or None,
            "release": news.release or None,
            "severity": news.severity or None,
            "from_weight_bp": news.from_weight_bp,
            "to_weight_bp": news.to_weight_bp,
            "url": news.url,
            "settings_url": news.settings_url,
        },
    }


def _percent(weight_bp: int | None) -> str:
    return f"{(weight_bp or 0) / 100:g} %"
