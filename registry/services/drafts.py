"""Drafts: saved often, by several people, without losing anybody's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from promptstore.core import audit, clock
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, NotFound, StaleWrite
from registry.drafts import read_examples, read_spec
from registry.models import PromptDraft, PromptVersion
from registry.services.access import get_for


@transaction.atomic
def save_draft(
    *,
    actor: Actor,
    draft_id: UUID,
    revision: int,
    body: Mapping[str, Any],
    example_inputs: list[Any] | None = None,
) -> PromptDraft:
    """Replace a draft's content if it is still at `revision`; it then is at the next one.

    The shape is checked, not the meaning: a draft may be in the middle of a thought. A save that changes nothing keeps the
    revision. Autosaves are no audit events. Raises `StaleWrite` (412, with the current revision and who saved it), `InvalidInput`.
    """
    draft = lock_draft(actor, draft_id, "prompt.edit")
    check_revision(draft, revision)
    refuse_archived(draft)
    content = read_spec(body).to_dict()
    examples = draft.example_inputs if example_inputs is None else read_examples(example_inputs)
    if content == draft.body and examples == draft.example_inputs:
        return draft
    return _write(draft, actor, content, examples)


@transaction.atomic
def reopen_draft(*, actor: Actor, draft_id: UUID, revision: int, version: str) -> PromptDraft:
    """Start the draft over from a published version. Raises `NotFound`, `StaleWrite`."""
    draft = lock_draft(actor, draft_id, "prompt.edit")
    check_revision(draft, revision)
    refuse_archived(draft)
    source = PromptVersion.objects.filter(prompt_id=draft.prompt_id, version=version).first()
    if source is None:
        raise NotFound(f"{draft.prompt.name} has no version {version[:64]}.", field="version")
    draft.base_version = source.version
    # Whose words these are stays true when somebody else publishes them again.
    draft.contributors = sorted({*draft.contributors, *source.authors})
    draft = _write(draft, actor, source.body, source.example_inputs)
    audit.record(
        actor=actor,
        action="draft.reopened",
        target=draft,
        project_id=draft.project_id,
        after={"version": source.version, "revision": draft.revision},
    )
    return draft


def lock_draft(actor: Actor, draft_id: UUID, permission: str) -> PromptDraft:
    """The draft, locked, with its prompt and who saved it last."""
    get_for(actor, permission, PromptDraft.objects.all(), draft_id)
    return (
        PromptDraft.objects.select_related("prompt", "updated_by")
        .select_for_update(of=("self",))
        .get(pk=draft_id)
    )


def check_revision(draft: PromptDraft, revision: int) -> None:
    """Raise `StaleWrite` unless the draft is still at `revision`."""
    if draft.revision == revision:
        return
    saver = str(draft.updated_by) if draft.updated_by else "somebody"
    raise StaleWrite(
        f"{saver} saved this draft after you opened it. Nothing was overwritten: compare their text with yours, then save again.",
        field="revision",
        extra={
            "current_revision": draft.revision,
            "saved_by": saver,
            "saved_at": draft.updated_at.isoformat(),
        },
    )


def refuse_archived(draft: PromptDraft) -> None:
    """Raise `Conflict` when the prompt is archived."""
    if draft.prompt.archived_at is not None:
        raise Conflict(f"{draft.prompt.name} is archived. Restore it before you change it.", code="archived")


def _write(draft: PromptDraft, actor: Actor, body: Any, examples: list[Any]) -> PromptDraft:
    draft.body = body
    draft.example_inputs = examples
    draft.revision += 1
    draft.updated_at = clock.now()
    draft.updated_by_id = actor.user_id
    if actor.user_id and actor.id not in draft.contributors:
        draft.contributors = [*draft.contributors, actor.id]
    draft.save()
    return draft
