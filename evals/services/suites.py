"""Suites: published, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from evals.models import Suite, SuiteVersion
from evals.suite_versions import suite_digest
from evals.suites import SuiteSpec, parse_suite
from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.permissions import require
from registry.errors import Unchanged
from registry.models import DatasetVersion
from registry.names import MAX_CHANGELOG_CHARS, check_text
from registry.rendering.versions import Bump, next_version
from registry.versioning import check_follows, highest, order_key, read_version

PERMISSION: Final = "dataset.edit"


@transaction.atomic
def publish_suite(
    *,
    actor: Actor,
    project_id: UUID,
    body: Mapping[str, Any],
    version: str | None = None,
    changelog: str = "",
) -> SuiteVersion:
    """Publish a suite under the name in its body; the first version of a name makes it.

    Without `version` it is the next minor one. Every dataset that it names must be frozen by then. Raises `InvalidInput` naming
    the member at fault, `Unchanged`, `VersionExists`, `VersionNotHigher`, `NotAllowed`. Locks the suite.
    """
    require(actor, PERMISSION, project_id=project_id)
    wanted = read_version(version) if version else None
    spec = parse_suite(body, field="body")
    _check_datasets(project_id, spec)
    changelog = check_text(changelog, field="changelog", max_chars=MAX_CHANGELOG_CHARS)
    suite, _made = Suite.objects.get_or_create(project_id=project_id, name=spec.name)
    suite = Suite.objects.select_for_update().get(pk=suite.pk)
    if suite.archived_at is not None:
        raise Conflict(f"{suite.name} is archived.", code="archived", field="body.name")
    published = list(SuiteVersion.objects.filter(suite=suite).order_by("-version_order"))
    numbers = [row.version for row in published]
    if published and published[0].body == spec.to_dict():
        raise Unchanged(
            f"This is what {suite.name} {numbers[0]} says already.", extra={"version": numbers[0]}
        )
    top = highest(numbers)
    number = wanted or read_version(next_version(str(top) if top else None, Bump.MINOR))
    check_follows(number, numbers, name=suite.name)
    row = SuiteVersion(
        project_id=project_id,
        suite=suite,
        version=str(number),
        version_order=order_key(number),
        digest=suite_digest(suite.name, str(number), spec.to_dict()),
        changelog=changelog,
        published_by_id=actor.user_id,
        body=spec.to_dict(),
    )
    row.save(force_insert=True)
    audit.record(
        actor=actor,
        action="suite.published",
        target=row,
        project_id=project_id,
        after={"version": row.version, "digest": row.digest, "body": row.body},
    )
    return row


def _check_datasets(project_id: UUID, spec: SuiteSpec) -> None:
    for index, stage in enumerate(spec.stages):
        if stage.dataset is None:
            continue
        known = DatasetVersion.objects.filter(
            project_id=project_id, dataset__name=stage.dataset.name, version=stage.dataset.version
        )
        if not known.exists():
            raise InvalidInput(
                f"This project has no frozen dataset {stage.dataset}. Freeze it, or name a version that is there.",
                field=f"body.stages[{index}].dataset",
            )
