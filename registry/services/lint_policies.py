from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput, StaleWrite
from promptstore.core.permissions import require
from registry.models import LintPolicy
from registry.names import check_text

MAX_TOPICS = 200
MAX_TOPIC_CHARS = 80
MAX_TOKEN_BUDGET = 1_000_000


@transaction.atomic
def set_lint_policy(
    *, actor: Actor, project_id: UUID, revision: int, token_budget: int | None, banned_topics: Sequence[str]
) -> LintPolicy:
    """Replace the project's rules for prompts. `revision` is 0 where there were none. Published versions stay as they are."""
    require(actor, "policy.manage", project_id=project_id)
    if token_budget is not None and not 1 <= token_budget <= MAX_TOKEN_BUDGET:
        raise InvalidInput(
            f"Use 1 to {MAX_TOKEN_BUDGET:,} tokens, or nothing for no bound.", field="token_budget"
        )
    topics = list(
        dict.fromkeys(
            check_text(topic, field=f"banned_topics[{index}]", max_chars=MAX_TOPIC_CHARS, required=True)
            for index, topic in enumerate(banned_topics)
        )
    )
    if len(topics) > MAX_TOPICS:
        raise InvalidInput(f"{len(topics)} topics; at most {MAX_TOPICS} are allowed.", field="banned_topics")
    policy = LintPolicy.objects.select_for_update().filter(project_id=project_id).first()
    if (policy.revision if policy else 0) != revision:
        raise StaleWrite(
            "Somebody changed these rules after you opened them. Look at theirs, then save again.",
            field="revision",
            extra={"current_revision": policy.revision if policy else 0},
        )
    before = {"token_budget": policy.token_budget, "banned_topics": policy.banned_topics} if policy else None
    if policy is None:
        policy = LintPolicy(project_id=project_id, revision=0)
    policy.token_budget, policy.banned_topics, policy.revision = token_budget, topics, revision + 1
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError as error:
        raise StaleWrite(
            "Somebody set these rules at the same moment. Look at theirs.", field="revision"
        ) from error
    audit.record(
        actor=actor,
        action="lint_policy.changed",
        target=policy,
        project_id=project_id,
        before=before,
        after={"token_budget": token_budget, "banned_topics": topics},
    )
    return policy
