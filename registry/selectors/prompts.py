from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from promptstore.core.errors import NotFound
from registry.models import Prompt, PromptDraft, PromptVersion, PromptWithdrawal


def prompts(*, project_id: UUID, search: str = "", archived: bool = False) -> QuerySet[Prompt]:
    """A project's prompts, newest first.

    With `latest_version`, `latest_at` (None before the first publish), `version_count`, and `draft_name`, `draft_at`,
    `draft_base` of the draft saved last. `search` finds parts of the name, words like it, and parts of the description.
    """
    latest = PromptVersion.objects.filter(prompt=OuterRef("pk")).order_by("-version_order")
    draft = PromptDraft.objects.filter(prompt=OuterRef("pk")).order_by("-updated_at")
    rows = (
        Prompt.objects.filter(project_id=project_id, archived_at__isnull=not archived)
        .select_related("owner")
        .annotate(
            latest_version=Subquery(latest.values("version")[:1]),
            latest_at=Subquery(latest.values("created_at")[:1]),
            version_count=Count("versions"),
            draft_name=Subquery(draft.values("name")[:1]),
            draft_at=Subquery(draft.values("updated_at")[:1]),
            draft_has_changes=Exists(
                PromptDraft.objects.filter(prompt=OuterRef("pk")).exclude(contributors=[])
            ),
        )
        .order_by("-id")
    )
    return rows.filter(_matches(search)) if search.strip() else rows


def _matches(search: str) -> Q:
    words = search.strip()[:200].replace("\x00", "")
    return (
        Q(name__contains=words.lower())
        | Q(name__trigram_word_similar=words)
        | Q(description__icontains=words)
    )


def prompt_by_name(*, project_id: UUID, name: str) -> Prompt:
    """Raises `NotFound`."""
    prompt = Prompt.objects.filter(project_id=project_id, name=name).select_related("owner").first()
    if prompt is None:
        raise NotFound(f"This project has no prompt “{name[:80]}”.", field="prompt")
    return prompt


def prompt_versions(*, prompt: Prompt) -> QuerySet[PromptVersion]:
    """Highest version first, with publisher, and `is_withdrawn`."""
    return (
        PromptVersion.objects.filter(prompt=prompt)
        .select_related("published_by", "withdrawal", "prompt")
        .annotate(is_withdrawn=Exists(PromptWithdrawal.objects.filter(version=OuterRef("pk"))))
        .order_by("-version_order")
    )


def prompt_version(*, prompt: Prompt, version: str) -> PromptVersion:
    """One version by its number, a leading `v` allowed; raises `NotFound`."""
    row = prompt_versions(prompt=prompt).filter(version=version.removeprefix("v")).first()
    if row is None:
        raise NotFound(f"{prompt.name} has no version {version[:64]}.", field="version")
    return row


def latest_version(*, prompt: Prompt) -> PromptVersion | None:
    """The highest published version, withdrawn or not."""
    return prompt_versions(prompt=prompt).first()


def drafts(*, prompt: Prompt) -> QuerySet[PromptDraft]:
    """A prompt's drafts, the one saved last first."""
    return PromptDraft.objects.filter(prompt=prompt).select_related("updated_by").order_by("-updated_at")


def draft_by_name(*, prompt: Prompt, name: str) -> PromptDraft:
    """Raises `NotFound`."""
    draft = drafts(prompt=prompt).filter(name=name).select_related("prompt").first()
    if draft is None:
        raise NotFound(f"{prompt.name} has no draft “{name[:80]}”.", field="draft")
    return draft
