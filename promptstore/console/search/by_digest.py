"""A digest, whole or its beginning, leads to what it stands for."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from evals.models import GateReport, SuiteVersion
from promptstore.console.search.results import Result
from promptstore.core.http.links import page_url
from registry.models import DatasetVersion, ModelVersion, PromptVersion, ServingConfigVersion
from releases.models import Evidence, Release

LIMIT = 10


def find_by_digest(project_id: UUID, digest: str) -> list[Result]:
    """At most ten objects of each kind whose digest begins with `digest` (`sha256:` and at least six hex digits)."""
    key = {"project_id": project_id, "digest__startswith": digest}
    found = [
        Result("Release", str(one), one.digest, reverse("releases:release_detail", args=[one.pk]), "release")
        for one in Release.objects.select_related("feature").filter(**key)[:LIMIT]
    ]
    for kind, rows in (
        ("prompt", PromptVersion.objects.select_related("prompt")),
        ("model", ModelVersion.objects.select_related("model")),
        ("config", ServingConfigVersion.objects.select_related("config")),
        ("dataset", DatasetVersion.objects.select_related("dataset")),
    ):
        found += [
            Result(
                f"{kind.capitalize()} version",
                str(one),
                one.digest,
                page_url(f"registry:{kind}_version", getattr(one, kind).name, one.version),
                "settings" if kind == "config" else kind,
            )
            for one in rows.filter(**key)[:LIMIT]
        ]
    found += [
        Result(
            "Suite version",
            str(one),
            one.digest,
            page_url("evals:suite_version", one.suite.name, one.version),
            "clipboard-check",
        )
        for one in SuiteVersion.objects.select_related("suite").filter(**key)[:LIMIT]
    ]
    found += [
        Result("Gate report", str(one), one.digest, page_url("evals:report", one.digest), "clipboard-check")
        for one in GateReport.objects.defer("body").filter(**key)[:LIMIT]
    ]
    found += [
        Result(
            "Evidence",
            f"{one.promotion.release}, round {one.check_round}",
            one.digest,
            reverse("releases:promotion_detail", args=[one.promotion_id]),
            "shield-check",
        )
        for one in Evidence.objects.select_related("promotion__release__feature").filter(**key)[:LIMIT]
    ]
    return found
