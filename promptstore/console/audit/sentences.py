"""Audit events as sentences. Pure: an action maps to what the actor did; an unknown one is read from its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What follows the actor's name; `{object}` is the object as it was called then (a rollout is called “rollout of …”).
SENTENCES: dict[str, str] = {
    "approver.appointed": "appointed {object} as an approver",
    "approver.dismissed": "took the appointment as an approver from {object}",
    "audit.exported": "exported events of the audit log of the project {object}",
    "channel.changed": "changed the notification channel {object}",
    "channel.created": "created the notification channel {object}",
    "channel.disabled": "switched off the notification channel {object}",
    "channel.secret_rotated": "replaced the secret of the notification channel {object}",
    "channel.tested": "sent a test to the notification channel {object}",
    "config.published": "published the serving config {object}",
    "danger_case.added": "added {object} to the danger set",
    "dataset.case_added": "added the case {object}",
    "dataset.case_changed": "changed the case {object}",
    "dataset.case_erased": "erased what the case {object} said",
    "dataset.case_removed": "removed the case {object}",
    "dataset.case_restored": "brought the case {object} back",
    "dataset.cases_added": "added cases to the dataset {object}",
    "dataset.created": "created the dataset {object}",
    "dataset.frozen": "froze the dataset {object}",
    "delivery.replayed": "sent the message {object} again",
    "deployment.adopted": "took what runs already as the stable release of {object}",
    "deployment.returned": "returned {object} to a release that was live before",
    "draft.reopened": "reopened the draft {object}",
    "endpoint.changed": "changed how the endpoint {object} is reached",
    "endpoint.checked": "checked the endpoint {object}",
    "endpoint.created": "created the endpoint {object}",
    "feature.changed": "changed the feature {object}",
    "feature.created": "created the feature {object}",
    "incident.acknowledged": "acknowledged the incident “{object}”",
    "incident.commented": "commented on the incident “{object}”",
    "incident.mitigated": "mitigated the incident “{object}”",
    "incident.opened": "opened the incident “{object}”",
    "incident.repeated": "found the cause of the incident “{object}” again",
    "incident.resolved": "resolved the incident “{object}”",
    "key.created": "created the service key {object}",
    "key.revoked": "revoked the key {object}",
    "lint_policy.changed": "changed the project's prompt rules",
    "model.baseline_accepted": "accepted new answers of {object} as the baseline of its drift probe",
    "model.probe_requested": "asked for a drift probe of {object}",
    "model.probed": "probed {object} for drift",
    "model.registered": "registered the model {object}",
    "policy.changed": "put {object} into force",
    "preference.changed": "changed the {object}",
    "preference.secret_rotated": "replaced the webhook secret of the {object}",
    "preference.tested": "sent themselves the test message {object}",
    "preference.webhook_gone": "removed the webhook from the {object}",
    "promotion.approvals_dismissed": "dismissed the approvals of {object}",
    "promotion.approved": "gave {object} the approval that completed its quorum",
    "promotion.cancelled": "cancelled {object}",
    "promotion.check_started": "started the checks of {object}",
    "promotion.checks_failed": "found that {object} does not pass its checks",
    "promotion.checks_passed": "passed the checks of {object}",
    "promotion.completed": "completed {object}",
    "promotion.expired": "let {object} expire",
    "promotion.plan_changed": "changed the plan of {object}",
    "promotion.rejected": "rejected {object}",
    "promotion.requested": "requested {object}",
    "promotion.rolled_back": "rolled back {object}",
    "promotion.started": "started to roll out {object}",
    "promotion.superseded": "replaced {object} by a later one",
    "promotion.vote_cast": "voted on {object}",
    "prompt.archived": "archived the prompt {object}",
    "prompt.created": "created the prompt {object}",
    "prompt.published": "published the prompt {object}",
    "prompt.restored": "brought the prompt {object} back",
    "prompt.withdrawn": "withdrew the prompt {object} from new releases",
    "release.bundled": "took the audit bundle of the release {object}",
    "release.composed": "composed the release {object}",
    "review.escalated": "escalated the {object}",
    "review.labelled": "gave a label in the {object}",
    "review.set_aside": "set the {object} aside",
    "review.settled": "settled the {object}",
    "review.skipped": "skipped the {object}",
    "review.withdrawn": "took a rollout's answers in {object} out of the review queue",
    "rollout.aborted": "aborted the {object}",
    "rollout.advanced": "advanced the {object}",
    "rollout.completed": "completed the {object}",
    "rollout.cut": "took all traffic from the {object} at once",
    "rollout.mirroring_stopped": "ended the copies of calls for the {object}",
    "rollout.paused": "paused the {object}",
    "rollout.resumed": "resumed the {object}",
    "rollout.rollback_started": "began to roll back the {object}",
    "rollout.rolled_back": "finished rolling back the {object}",
    "rollout.started": "started the {object}",
    "rollout.stepped_down": "lowered the weight of the {object}",
    "scan.reported": "reported a scan of the source {object}",
    "suite.published": "published the suite {object}",
    "system.restored": "restored {object} from a backup",
    "token.created": "created the personal token {object}",
    "verification.started": "began to verify {object}",
}

# The types of objects that events speak of.
KINDS: dict[str, str] = {
    "apikey": "Key",
    "deployment": "Deployment",
    "endpoint": "Endpoint",
    "feature": "Feature",
    "incident": "Incident",
    "delivery": "Message",
    "modelversion": "Model version",
    "notificationchannel": "Notification channel",
    "notificationpreference": "Notification preference",
    "environmentpolicy": "Policy",
    "project": "Project",
    "promotion": "Promotion",
    "prompt": "Prompt",
    "promptdraft": "Prompt draft",
    "lintpolicy": "Prompt rules",
    "promptversion": "Prompt version",
    "release": "Release",
    "rollout": "Rollout",
    "servingconfigversion": "Serving config version",
    "sourcescan": "Source scan",
    "suiteversion": "Suite version",
    "auditverification": "Verification of the log",
}


def sentence(action: str, label: str, after: Mapping[str, Any] | None = None) -> str:
    """What was done, as it follows the actor's name. `budget.raised` reads “raised the budget …”.

    `after` is what the event says about the state it led to; an approval counts from it.
    """
    if action == "promotion.approved":
        return _approval(label, (after or {}).get("quorum"))
    known = SENTENCES.get(action)
    if known:
        return known.format(object=label)
    kind, _, done = action.partition(".")
    named = label if label.startswith(f"{_words(kind)} ") else f"{_words(kind)} {label}"
    return f"{_words(done)} the {named}".strip()


def _approval(label: str, quorum: int | None) -> str:
    """An approval is recorded under the name of whoever completed the quorum, or of the product where nobody is asked."""
    if quorum == 0:
        return f"approved {label}: the policy asks nobody"
    return SENTENCES["promotion.approved"].format(object=label) + (
        f" ({quorum} of {quorum})" if quorum else ""
    )


def title(action: str) -> str:
    """An action as a choice in a filter: `Release: composed`."""
    kind, _, done = action.partition(".")
    return f"{all_of(kind)}: {_words(done)}" if done else all_of(kind)


def all_of(kind: str) -> str:
    """The first part of actions as a heading: `Lint policy`."""
    return _words(kind).capitalize()


def _words(name: str) -> str:
    return name.replace("_", " ")
