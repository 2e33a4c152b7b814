"""An id pasted from anywhere leads to its object."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from evals.models import Suite
from incidents.models import Incident
from promptstore.console.search.results import Result
from promptstore.core.actors import Actor
from promptstore.core.http.links import page_url
from promptstore.core.permissions import allows
from registry.models import Dataset, Endpoint, Feature, LanguageModel, Prompt, ServingConfig
from releases.models import Release
from releases.selectors.places import deployments, promotions, rollouts
from reviews.models import ReviewItem
from telemetry.models import Inference

# What has a page by its name: label, the page's name, icon, rows.
_NAMED: tuple[tuple[str, str, str, Any], ...] = (
    ("Feature", "registry:feature_detail", "branch", Feature),
    ("Prompt", "registry:prompt_detail", "prompt", Prompt),
    ("Model", "registry:model_detail", "model", LanguageModel),
    ("Endpoint", "registry:endpoint_detail", "plug", Endpoint),
    ("Serving config", "registry:config_detail", "settings", ServingConfig),
    ("Dataset", "registry:dataset_detail", "dataset", Dataset),
    ("Suite", "evals:suite_detail", "clipboard-check", Suite),
)


def find_by_id(actor: Actor, project_id: UUID, wanted: UUID) -> list[Result]:
    """The objects of the project with this id; inferences and review items only for people who may read them."""
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
    if allows(actor, "review.read", project_id=project_id):
        found += [
            Result(
                "Review item",
                f"An answer of {one.feature.slug}",
                one.state,
                page_url("reviews:item_detail", one.pk),
                "review",
            )
            for one in ReviewItem.objects.select_related("feature").filter(**key)
        ]
    for label, page, icon, model in _NAMED:
        found += [
            Result(label, str(one), "", page_url(page, str(one)), icon) for one in model.objects.filter(**key)
        ]
    return found
