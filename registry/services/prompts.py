"""Prompts by name: made, described, archived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit, clock
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict
from promptstore.core.permissions import require
from registry.drafts import EMPTY_BODY, read_examples, read_spec
from registry.errors import NameTaken
from registry.models import Prompt, PromptDraft
from registry.names import check_name, check_text
from registry.services.access import get_for

MAIN_DRAFT = "main"


@transaction.atomic
def create_prompt(
    *,
    actor: Actor,
    project_id: UUID,
    name: str,
    description: str = "",
    body: Mapping[str, Any] | None = None,
    example_inputs: list[Any] | None = None,
) -> Prompt:
    """A new prompt with its draft `main`, empty or from `body`. Raises `NameTaken`, `InvalidInput`, `NotAllowed`."""
    require(actor, "prompt.edit", project_id=project_id)
    check_name(name)
    spec = read_spec(EMPTY_BODY if body is None else body)
    examples = read_examples(example_inputs or [])
    try:
        with transaction.atomic():
            prompt = Prompt.objects.create(
                project_id=project_id,
                name=name,
                description=check_text(description, field="description"),
                owner_id=actor.user_id,
            )
    except IntegrityError as error:
        raise NameTaken(
            f"A prompt called “{name}” exists already. Choose another name.", field="name"
        ) from error
    PromptDraft.objects.create(
        project_id=project_id,
        prompt=prompt,
        name=MAIN_DRAFT,
        body=spec.to_dict(),
        example_inputs=examples,
        updated_by_id=actor.user_id,
        contributors=[actor.id] if actor.user_id else [],
    )
    audit.record(
        actor=actor, action="prompt.created", target=prompt, project_id=project_id, after={"name": name}
    )
    return prompt


@transaction.atomic
def archive_prompt(*, actor: Actor, prompt_id: UUID, reason: str) -> Prompt:
    """Put a prompt away: new releases may not use it, what is live goes on. `restore_prompt` takes it back."""
    prompt = _locked(actor, prompt_id)
    reason = check_text(reason, field="reason", required=True)
    if prompt.archived_at is not None:
        raise Conflict(f"{prompt.name} is archived already.", code="archived")
    prompt.archived_at = clock.now()
    prompt.save(update_fields=["archived_at"])
    audit.record(
        actor=actor, action="prompt.archived", target=prompt, project_id=prompt.project_id, reason=reason
    )
    return prompt


@transaction.atomic
def restore_prompt(*, actor: Actor, prompt_id: UUID) -> Prompt:
    """Take an archived prompt back into use."""
    prompt = _locked(actor, prompt_id)
    if prompt.archived_at is None:
        raise Conflict(f"{prompt.name} is not archived.", code="not_archived")
    prompt.archived_at = None
    prompt.save(update_fields=["archived_at"])
    audit.record(actor=actor, action="prompt.restored", target=prompt, project_id=prompt.project_id)
    return prompt


def _locked(actor: Actor, prompt_id: UUID) -> Prompt:
    get_for(actor, "prompt.withdraw", Prompt.objects.all(), prompt_id)
    return Prompt.objects.select_for_update().get(pk=prompt_id)
