"""Audit events as sentences. Pure: an action maps to what the actor did; an unknown one is read from its name."""

from __future__ import annotations

# What follows the actor's name; `{object}` is the object as it was called then.
SENTENCES: dict[str, str] = {
    "approver.appointed": "appointed {object} as an approver",
    "approver.dismissed": "took the appointment as an approver from {object}",
    "config.published": "published the serving config {object}",
    "deployment.adopted": "made {object} known as a deployment",
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
    "model.registered": "registered the model {object}",
    "policy.changed": "changed the policy to {object}",
    "promotion.approvals_dismissed": "dismissed the approvals of {object}",
    "promotion.approved": "found {object} approved by enough people",
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
    "release.composed": "composed the release {object}",
    "rollout.aborted": "aborted the rollout {object}",
    "rollout.advanced": "advanced the rollout {object}",
    "rollout.completed": "completed the rollout {object}",
    "rollout.cut": "took all traffic from {object} at once",
    "rollout.paused": "paused the rollout {object}",
    "rollout.resumed": "resumed the rollout {object}",
    "rollout.rollback_started": "began to roll back {object}",
    "rollout.rolled_back": "finished rolling back {object}",
    "rollout.started": "started the rollout {object}",
    "rollout.stepped_down": "lowered the weight of {object}",
    "token.created": "created the personal token {object}",
}


def sentence(action: str, label: str) -> str:
    """What was done, as it follows the actor's name. `budget.raised` reads “raised the budget …”."""
    known = SENTENCES.get(action)
    if known:
        return known.format(object=label)
    kind, _, done = action.partition(".")
    return " ".join(part for part in (_words(done), f"the {_words(kind)}", label) if part.strip())


def title(action: str) -> str:
    """An action as a choice in a filter: `Release: composed`."""
    kind, _, done = action.partition(".")
    return f"{_words(kind).capitalize()}: {_words(done)}" if done else _words(kind).capitalize()


def _words(name: str) -> str:
    return name.replace("_", " ")
