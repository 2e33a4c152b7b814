"""Names: features, registry objects, releases by version, incidents by title, people, and the audit log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from evals.models import Suite
from incidents.models import Incident
from promptstore.console.search.results import Result
from promptstore.core.actors import Actor
from promptstore.core.http.links import page_url
from promptstore.core.models import Membership
from promptstore.core.permissions import allows
from registry.models import Dataset, Endpoint, Feature, LanguageModel, Prompt, ServingConfig
from releases.models import Release

LIMIT = 8
_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,2}[0-9A-Za-z.+-]*)\Z")


@dataclass(frozen=True)
class _Artifact:
    """A kind of named thing with versions, and the stem of its pages' names."""

    label: str
    page: str
    icon: str
    model: type[Any]


_ARTIFACTS = (
    _Artifact("Prompt", "registry:prompt", "prompt", Prompt),
    _Artifact("Model", "registry:model", "model", LanguageModel),
    _Artifact("Serving config", "registry:config", "settings", ServingConfig),
    _Artifact("Dataset", "registry:dataset", "dataset", Dataset),
    _Artifact("Suite", "evals:suite", "clipboard-check", Suite),
)


def find_by_name(actor: Actor, project_id: UUID, text: str) -> list[Result]:
    """At most eight of each kind. `name version` and `name@version` also find that version of a release or artifact.

    Whoever may read the audit log is offered to look for the text there.
    """
    name, version = split_version(text)
    found = _releases(project_id, name, version)
    if name:
        found += _features(project_id, name)
        found += _artifacts(project_id, name, version)
        found += _endpoints(project_id, name)
        found += _incidents(project_id, name)
        found += _people(project_id, name)
    if found and allows(actor, "audit.read", project_id=project_id):
        url = f"{reverse('console:audit')}?{urlencode({'text': text})}"
        found.append(Result("Audit", f"Events about “{text}”", "", url, "audit"))
    return found


def find_version(project_id: UUID, text: str) -> list[Result]:
    """What `name@1.2.0` names exactly: that version of a release and of each kind of artifact. At most one of each kind."""
    name, version = split_version(text)
    if not (name and version):
        return []
    found = [
        _release(one)
        for one in Release.objects.select_related("feature")
        .defer("manifest")
        .filter(project_id=project_id, feature__slug=name, version=version)
    ]
    for kind in _ARTIFACTS:
        rows = kind.model.objects.filter(project_id=project_id, name=name, versions__version=version)
        found += [_artifact(kind, one, version) for one in rows]
    return found


def split_version(text: str) -> tuple[str, str]:
    """`assistant@1.2.0`, `assistant v1.2.0` and `1.2.0` as name and version; either may be empty."""
    words = text.replace("@", " ").split()
    match = _VERSION.match(words[-1]) if words else None
    if match is None:
        return " ".join(words), ""
    return " ".join(words[:-1]), match[1]


def _releases(project_id: UUID, name: str, version: str) -> list[Result]:
    rows = Release.objects.select_related("feature").defer("manifest").filter(project_id=project_id)
    if name:
        rows = rows.filter(feature__slug__contains=name.lower())
    if version:
        rows = rows.filter(version__startswith=version)
    return [_release(one) for one in rows.order_by("-id")[:LIMIT]]


def _release(one: Release) -> Result:
    return Result(
        "Release", str(one), one.digest, reverse("releases:release_detail", args=[one.pk]), "release"
    )


def _features(project_id: UUID, name: str) -> list[Result]:
    rows = Feature.objects.filter(
        Q(slug__contains=name.lower()) | Q(name__icontains=name), project_id=project_id
    )
    return [
        Result("Feature", one.slug, one.name, reverse("registry:feature_detail", args=[one.slug]), "branch")
        for one in rows.order_by("slug")[:LIMIT]
    ]


def _artifacts(project_id: UUID, name: str, version: str) -> list[Result]:
    found: list[Result] = []
    for kind in _ARTIFACTS:
        # Names are lower case, so that LIKE itself fits, which the trigram index of a long list answers.
        rows = list(
            kind.model.objects.filter(project_id=project_id, name__contains=name.lower()).order_by("name")[
                :LIMIT
            ]
        )
        having = (
            set(
                kind.model.objects.filter(
                    pk__in=[one.pk for one in rows], versions__version=version
                ).values_list("pk", flat=True)
            )
            if version and rows
            else set()
        )
        found += [_artifact(kind, one, version if one.pk in having else "") for one in rows]
    return found


def _artifact(kind: _Artifact, one: Any, version: str) -> Result:
    page = (
        page_url(f"{kind.page}_version", one.name, version)
        if version
        else page_url(f"{kind.page}_detail", one.name)
    )
    title = f"{one.name} {version}" if version else one.name
    return Result(kind.label, title, one.description[:80], page, kind.icon)


def _endpoints(project_id: UUID, name: str) -> list[Result]:
    rows = Endpoint.objects.filter(
        Q(name__contains=name.lower()) | Q(base_url__icontains=name), project_id=project_id
    )
    return [
        Result(
            "Endpoint", one.name, one.base_url, reverse("registry:endpoint_detail", args=[one.name]), "plug"
        )
        for one in rows.order_by("name")[:LIMIT]
    ]


def _incidents(project_id: UUID, name: str) -> list[Result]:
    rows = Incident.objects.filter(project_id=project_id, title__icontains=name).defer("evidence")
    return [
        Result("Incident", one.title, one.state, page_url("incidents:incident_detail", one.pk), "incident")
        for one in rows.order_by("-id")[:LIMIT]
    ]


def _people(project_id: UUID, name: str) -> list[Result]:
    rows = Membership.objects.select_related("user").filter(
        Q(user__username__icontains=name)
        | Q(user__first_name__icontains=name)
        | Q(user__last_name__icontains=name),
        project_id=project_id,
    )
    audit = page_url("console:audit")
    return [
        Result(
            "Person",
            str(one.user),
            ", ".join(one.roles),
            f"{audit}?{urlencode({'who': one.user.username})}" if audit else "",
            "user",
        )
        for one in rows.order_by("user__username")[:LIMIT]
    ]
