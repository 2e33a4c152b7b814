"""From a draft to an immutable version, and out of use again."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict
from registry.checks import as_dicts, blocking, check_draft
from registry.content import Kind, artifact_digest
from registry.drafts import read_spec
from registry.errors import LintErrors, Unchanged
from registry.estimates import token_counts
from registry.models import Prompt, PromptDraft, PromptVersion, PromptWithdrawal
from registry.names import MAX_CHANGELOG_CHARS, check_text
from registry.proposals import choose_version
from registry.selectors.lint_policies import lint_config
from registry.services.access import get_for
from registry.services.drafts import check_revision, lock_draft, refuse_archived
from registry.versioning import order_key


@transaction.atomic
def publish_version(
    *, actor: Actor, draft_id: UUID, revision: int, version: str | None = None, changelog: str = ""
) -> PromptVersion:
    """Freeze a draft as the next version of its prompt.

    Without `version` the change itself says which number it deserves. The prompt's row is the lock: of two publishers at once one
    wins, the other gets 409. Raises `StaleWrite`, `LintErrors` (with findings in `errors`), `Unchanged`, `VersionExists`,
    `VersionNotHigher`, `BumpTooLow`, `InvalidInput`.
    """
    found = get_for(actor, "prompt.publish", PromptDraft.objects.all(), draft_id)
    Prompt.objects.select_for_update().get(pk=found.prompt_id)
    draft = lock_draft(actor, draft_id, "prompt.publish")
    check_revision(draft, revision)
    refuse_archived(draft)
    changelog = check_text(changelog, field="changelog", max_chars=MAX_CHANGELOG_CHARS)
    published = list(
        PromptVersion.objects.filter(prompt_id=draft.prompt_id)
        .select_related("withdrawal")
        .order_by("-version_order")
    )
    if published and published[0].body == draft.body and not hasattr(published[0], "withdrawal"):
        raise Unchanged(
            f"This is what {draft.prompt.name} {published[0].version} says already. Change something, then publish.",
            extra={"version": published[0].version},
        )
    spec = read_spec(draft.body)
    findings = check_draft(spec, draft.example_inputs, lint_config(draft.project_id))
    if errors := blocking(findings):
        raise LintErrors(
            f"{errors[0].message} ({len(errors)} to fix before this can be published.)",
            errors=as_dicts(errors),
        )
    chosen = choose_version(
        spec,
        name=draft.prompt.name,
        latest=(published[0].version, read_spec(published[0].body)) if published else None,
        published=[row.version for row in published],
        wanted=version,
    )
    body = spec.to_dict()
    row = PromptVersion(
        project_id=draft.project_id,
        prompt=draft.prompt,
        version=str(chosen),
        version_order=order_key(chosen),
        digest=artifact_digest(kind=Kind.PROMPT, name=draft.prompt.name, version=str(chosen), body=body),
        changelog=changelog,
        published_by_id=actor.user_id,
        body=body,
        example_inputs=draft.example_inputs,
        findings=as_dicts(findings),
        token_counts=token_counts(spec, draft.example_inputs),
        authors=sorted({*draft.contributors, *([actor.id] if actor.user_id else [])}),
    )
    row.save(force_insert=True)
    draft.base_version = row.version
    draft.contributors = []
    draft.save(update_fields=["base_version", "contributors"])
    audit.record(
        actor=actor,
        action="prompt.published",
        target=row,
        project_id=row.project_id,
        after={"version": row.version, "digest": row.digest, "authors": row.authors, "changelog": changelog},
    )
    return row


@transaction.atomic
def withdraw_version(*, actor: Actor, version_id: UUID, reason: str) -> PromptWithdrawal:
    """Keep new releases from using a version. What is live goes on; rolling it back is the operators' decision."""
    version = get_for(actor, "prompt.withdraw", PromptVersion.objects.select_related("prompt"), version_id)
    reason = check_text(reason, field="reason", required=True)
    try:
        with transaction.atomic():
            withdrawal = PromptWithdrawal.objects.create(
                project_id=version.project_id, version=version, reason=reason, withdrawn_by_id=actor.user_id
            )
    except IntegrityError as error:
        raise Conflict(f"{version} is withdrawn already.", code="withdrawn") from error
    audit.record(
        actor=actor, action="prompt.withdrawn", target=version, project_id=version.project_id, reason=reason
    )
    return withdrawal
