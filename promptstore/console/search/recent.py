"""What somebody who opens the palette most likely wants: what changed last."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from incidents.models import Incident
from promptstore.console.search.results import Result
from promptstore.console.statuses import look
from promptstore.core.http.links import page_url
from registry.models import PromptVersion
from releases.models import Release
from releases.models.rollouts import LIVE
from releases.selectors.places import rollouts

LIMIT = 3


def recent(project_id: UUID) -> list[Result]:
    """At most three each of live rollouts, newest releases, newest prompt versions and newest incidents, in four queries."""
    mine = {"project_id": project_id}
    found = [
        Result(
            "Live rollout",
            f"{one.candidate} in {one.deployment.environment.slug}",
            look("rollout", one.state).label,
            reverse("releases:rollout_detail", args=[one.pk]),
            "rollout",
        )
        for one in rollouts().filter(**mine, state__in=LIVE).order_by("-id")[:LIMIT]
    ]
    found += [
        Result(
            "Recent release",
            str(one),
            one.changelog[:80],
            reverse("releases:release_detail", args=[one.pk]),
            "release",
        )
        for one in Release.objects.select_related("feature")
        .defer("manifest")
        .filter(**mine)
        .order_by("-id")[:LIMIT]
    ]
    found += [
        Result(
            "Recent prompt version",
            str(one),
            one.changelog[:80],
            page_url("registry:prompt_version", one.prompt.name, one.version),
            "prompt",
        )
        for one in PromptVersion.objects.select_related("prompt")
        .defer("body")
        .filter(**mine)
        .order_by("-id")[:LIMIT]
    ]
    found += [
        Result(
            "Recent incident",
            one.title,
            look("incident", one.state).label,
            page_url("incidents:incident_detail", one.pk),
            "incident",
        )
        for one in Incident.objects.defer("evidence").filter(**mine).order_by("-id")[:LIMIT]
    ]
    return found
