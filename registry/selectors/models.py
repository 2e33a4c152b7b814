from __future__ import annotations

from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from promptstore.core.errors import NotFound
from registry.models import LanguageModel, ModelVersion


def language_models(*, project_id: UUID, search: str = "", archived: bool = False) -> QuerySet[LanguageModel]:
    """A project's models, newest first, with `version_count` and the latest entry's `latest_*` columns."""
    latest = ModelVersion.objects.filter(model=OuterRef("pk")).order_by("-version_order")
    rows = (
        LanguageModel.objects.filter(project_id=project_id, archived_at__isnull=not archived)
        .annotate(
            version_count=Count("versions"),
            latest_version=Subquery(latest.values("version")[:1]),
            latest_kind=Subquery(latest.values("kind")[:1]),
            latest_provider=Subquery(latest.values("provider")[:1]),
            latest_model_id=Subquery(latest.values("provider_model_id")[:1]),
            latest_endpoint=Subquery(latest.values("endpoint__name")[:1]),
            latest_at=Subquery(latest.values("created_at")[:1]),
        )
        .order_by("-id")
    )
    words = search.strip()[:200].replace("\x00", "")
    if not words:
        return rows
    return rows.filter(
        Q(name__contains=words.lower())
        | Q(name__trigram_word_similar=words)
        | Q(description__icontains=words)
        | Q(latest_model_id__icontains=words)
    )


def model_by_name(*, project_id: UUID, name: str) -> LanguageModel:
    """Raises `NotFound`."""
    model = LanguageModel.objects.filter(project_id=project_id, name=name).first()
    if model is None:
        raise NotFound(f"This project has no model “{name[:80]}”.", field="model")
    return model


def model_versions(*, model: LanguageModel) -> QuerySet[ModelVersion]:
    """Highest version first."""
    return (
        ModelVersion.objects.filter(model=model)
        .select_related("endpoint", "published_by", "model")
        .order_by("-version_order")
    )


def model_version(*, model: LanguageModel, version: str) -> ModelVersion:
    """One entry by its version, a leading `v` allowed; raises `NotFound`."""
    row = model_versions(model=model).filter(version=version.removeprefix("v")).first()
    if row is None:
        raise NotFound(f"{model.name} has no version {version[:64]}.", field="version")
    return row


def latest_entries(*, project_id: UUID) -> QuerySet[ModelVersion]:
    """The highest version of each model that is in use: what a cost estimate offers to choose from."""
    latest = ModelVersion.objects.filter(model=OuterRef("model")).order_by("-version_order").values("pk")[:1]
    return (
        ModelVersion.objects.filter(
            project_id=project_id, model__archived_at__isnull=True, pk=Subquery(latest)
        )
        .select_related("model")
        .order_by("model__name")
    )
