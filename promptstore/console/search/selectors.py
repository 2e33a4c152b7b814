"""One box for everything: names, versions, digests and pasted ids of a project."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from incidents.models import Incident
from promptstore.core.actors import Actor
from promptstore.core.models import Membership
from promptstore.core.permissions import allows
from registry.models import LanguageModel, Prompt, PromptVersion
from releases.models import Promotion, Release, Rollout
from telemetry.models import Inference

MOST = 12


@dataclass(frozen=True)
class Hit:
    """One result: what it is, its name, where its page is (empty for people), and a word of context."""

    kind: str
    title: str
    url: str
    note: str = ""


def search(*, actor: Actor, project_id: UUID, query: str) -> list[Hit]:
    """Everything of the project that `query` names: an id or digest exactly, names by part."""
    query = query.strip()
    if not query:
        return []
    identifier = _uuid(query)
    if identifier:
        return _by_id(actor, project_id, identifier)
    if query.startswith("sha256:"):
        return _by_digest(project_id, query)
    return _by_name(project_id, query)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _by_id(actor: Actor, project_id: UUID, identifier: UUID) -> list[Hit]:
    mine = {"pk": identifier, "project_id": project_id}
    hits = [_release(row) for row in Release.objects.select_related("feature").filter(**mine)]
    hits += [
        Hit("Promotion", str(row), reverse("releases:promotion_detail", args=[row.pk]), row.state)
        for row in Promotion.objects.filter(**mine)
    ]
    hits += [
        Hit("Rollout", str(row), reverse("releases:rollout_detail", args=[row.pk]), row.state)
        for row in Rollout.objects.filter(**mine)
    ]
    hits += [_incident(row) for row in Incident.objects.filter(**mine)]
    if allows(actor, "inference.read", project_id=project_id):
        hits += [
            Hit("Inference", str(row.pk), reverse("telemetry:inference_detail", args=[row.pk]), row.feature)
            for row in Inference.objects.filter(**mine)
        ]
    return hits


def _by_digest(project_id: UUID, digest: str) -> list[Hit]:
    releases = Release.objects.select_related("feature").filter(project_id=project_id, digest=digest)
    versions = PromptVersion.objects.select_related("prompt").filter(project_id=project_id, digest=digest)
    return [*[_release(row) for row in releases], *[_version(row) for row in versions]]


def _by_name(project_id: UUID, query: str) -> list[Hit]:
    prompts = Prompt.objects.filter(project_id=project_id, name__icontains=query).order_by("name")
    models = LanguageModel.objects.filter(project_id=project_id, name__icontains=query).order_by("name")
    releases = (
        Release.objects.select_related("feature")
        .filter(Q(feature__slug__icontains=query) | Q(version=query), project_id=project_id)
        .order_by("-id")
    )
    incidents = Incident.objects.filter(project_id=project_id, title__icontains=query).order_by("-id")
    people = Membership.objects.select_related("user").filter(
        project_id=project_id, user__username__icontains=query
    )
    return [
        *[Hit("Prompt", r.name, reverse("registry:prompt_detail", args=[r.name])) for r in prompts[:MOST]],
        *[Hit("Model", r.name, reverse("registry:model_detail", args=[r.name])) for r in models[:MOST]],
        *[_release(row) for row in releases[:MOST]],
        *[_incident(row) for row in incidents[:MOST]],
        *[Hit("Person", str(row.user), "", ", ".join(row.roles)) for row in people[:MOST]],
    ]


def _release(row: Release) -> Hit:
    return Hit("Release", str(row), reverse("releases:release_detail", args=[row.pk]), row.changelog[:80])


def _version(row: PromptVersion) -> Hit:
    url = reverse("registry:prompt_version", args=[row.prompt.name, row.version])
    return Hit("Prompt version", str(row), url)


def _incident(row: Incident) -> Hit:
    return Hit("Incident", row.title, reverse("incidents:incident_detail", args=[row.pk]), row.state)
