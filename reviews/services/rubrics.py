"""Rubric versions of a project: the built-in one is stored under the next number wherever it has changed."""

from __future__ import annotations

from uuid import UUID

from promptstore.core.digests import digest_json
from promptstore.core.errors import InvalidInput
from reviews.models import Rubric
from reviews.rubrics import BUILT_IN, ShownRubric


def current_rubric(project_id: UUID) -> ShownRubric:
    """What people are asked now; stored on first use. Two at once store it once."""
    latest = Rubric.objects.filter(project_id=project_id).order_by("-version").first()
    digest = digest_json(BUILT_IN)
    if latest is not None and latest.digest == digest:
        return ShownRubric(version=latest.version, body=latest.body)
    version = (latest.version if latest else 0) + 1
    Rubric.objects.bulk_create(
        [Rubric(project_id=project_id, version=version, body=BUILT_IN, digest=digest)], ignore_conflicts=True
    )
    return ShownRubric(version=version, body=BUILT_IN)


def rubric_of(project_id: UUID, version: int) -> Rubric:
    """The version that a person says they saw; raises `InvalidInput`."""
    found = Rubric.objects.filter(project_id=project_id, version=version).first()
    if found is None:
        raise InvalidInput("This project has no such version of the rubric.", field="rubric")
    return found
