"""An id pasted from anywhere leads to its object."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from incidents.models import Incident
from promptstore.console.search.results import Result
from promptstore.core.actors import Actor
from promptstore.core.http.links import page_url
from promptstore.core.permissions import allows
from releases.models import Release
from releases.selectors.places import deployments, promotions, rollouts
from telemetry.models import Inference


def find_by_id(actor: Actor, project_id: UUID, wanted: UUID) -> list[Result]:
    """The objects of the project with this id; an inference only for people who may read inferences."""
    key = {"pk": wanted, "project_id": project_id}
    found = [
        Result(
            "Promotion",
            f"{one.release} to {one.deployment.environment.slug}",
            one.state,
            reverse("releases:promotion_detail", args=[one.pk]),
            "promotion",
        )
        for one in promotions().filter(**key)
    ]
    found += [
        Result(
            "Rollout",
            f"{one.candidate} in {one.deployment.environment.slug}",
            one.state,
            reverse("releases:rollout_detail", args=[one.pk]),
            "rollout",
        )
        for one in rollouts().filter(**key)
    ]
    found += [
        Result("Release", str(one), one.digest, reverse("releases:release_detail", args=[one.pk]), "release")
        for one in Release.objects.select_related("feature").filter(**key)
    ]
    found += [
        Result("Deployment", str(one), "", reverse("releases:deployment_detail", args=[one.pk]), "server")
        for one in deployments().filter(**key)
    ]
    found += [
        Result("Incident", one.title, one.state, page_url("incidents:incident_detail", one.pk), "incident")
        for one in Incident.objects.filter(**key)
    ]
    if allows(actor, "inference.read", project_id=project_id):
        found += [
            Result(
                "Inference",
                f"{one.feature} {one.release_version}, {one.arm}",
                f"{one.at:%Y-%m-%d %H:%M:%S} UTC",
                page_url("telemetry:inference_detail", one.pk),
                "activity",
            )
            for one in Inference.objects.filter(**key)
        ]
    return found
