"""Names: features, prompts, models, configs, releases by version, incidents by title, people."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from incidents.models import Incident
from promptstore.console.search.results import Result
from promptstore.core.http.links import page_url
from promptstore.core.models import Membership
from registry.models import Feature, LanguageModel, Prompt, ServingConfig
from releases.models import Release

LIMIT = 8
_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,2}[0-9A-Za-z.+-]*)\Z")


def find_by_name(project_id: UUID, text: str) -> list[Result]:
    """At most eight of each kind. `name version` and `name@version` also find that version of a release or artifact."""
    name, version = split_version(text)
    found = _releases(project_id, name, version)
    if name:
        found += _features(project_id, name)
        found += _artifacts(project_id, name, version)
        found += _incidents(project_id, name)
        found += _people(project_id, name)
    return found


def split_version(text: str) -> tuple[str, str]:
    """`assistant@1.2.0`, `assistant v1.2.0` and `1.2.0` as name and version; either may be empty."""
    words = text.replace("@", " ").split()
    match = _VERSION.match(words[-1]) if words else None
    if match is None:
        return " ".join(words), ""
    return " ".join(words[:-1]), match[1]


def _releases(project_id: UUID, name: str, version: str) -> list[Result]:
    rows = Release.objects.select_related("feature").filter(project_id=project_id)
    if name:
        rows = rows.filter(feature__slug__icontains=name)
    if version:
        rows = rows.filter(version__startswith=version)
    return [
        Result("Release", str(one), one.digest, reverse("releases:release_detail", args=[one.pk]), "release")
        for one in rows.order_by("-id")[:LIMIT]
    ]


def _features(project_id: UUID, name: str) -> list[Result]:
    rows = Feature.objects.filter(Q(slug__icontains=name) | Q(name__icontains=name), project_id=project_id)
    return [
        Result(
            "Feature", one.slug, one.name, f"{reverse('releases:release_list')}?feature={one.slug}", "release"
        )
        for one in rows.order_by("slug")[:LIMIT]
    ]


def _artifacts(project_id: UUID, name: str, version: str) -> list[Result]:
    found = []
    for kind, label, icon, model in (
        ("prompt", "Prompt", "prompt", Prompt),
        ("model", "Model", "model", LanguageModel),
        ("config", "Serving config", "settings", ServingConfig),
    ):
        rows = model.objects.filter(project_id=project_id, name__icontains=name).order_by("name")
        for one in rows[:LIMIT]:
            exact = version and one.versions.filter(version=version).exists()
            page = (
                page_url(f"registry:{kind}_version", one.name, version)
                if exact
                else page_url(f"registry:{kind}_detail", one.name)
            )
            title = f"{one.name} {version}" if exact else one.name
            found.append(Result(label, title, one.description[:80], page, icon))
    return found


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
            f"{audit}?who={one.user.username}" if audit else "",
            "user",
        )
        for one in rows.order_by("user__username")[:LIMIT]
    ]
