"""The cases that a stage may ask, from a frozen version of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from evals.suites import StageSpec, SuiteCase, planned
from evals.suites.spec import DatasetRef
from promptstore.core.errors import NotFound
from registry.datasets import CaseContent
from registry.models import DatasetVersion
from registry.selectors.datasets import FrozenCase, cases_of


@dataclass(frozen=True, slots=True)
class FrozenCases:
    """What a release can be asked of a frozen version. `digest` is the version's, which covers every case of it.

    `erased` are keys whose content is gone; `elsewhere` those that only another feature is asked.
    """

    label: str
    digest: str
    contents: Mapping[str, CaseContent]
    erased: Sequence[str] = ()
    elsewhere: Sequence[str] = ()

    def chosen(self, stage: StageSpec) -> list[SuiteCase]:
        """The cases of a stage in the order in which they are asked."""
        return [SuiteCase(key, self.contents[key]) for key in planned(stage, self.contents)]


def frozen_cases(*, project_id: UUID, ref: DatasetRef, feature: str) -> FrozenCases:
    """The cases of a version for one feature; raises `NotFound`."""
    row = (
        DatasetVersion.objects.filter(project_id=project_id, dataset__name=ref.name, version=ref.version)
        .select_related("dataset")
        .first()
    )
    if row is None:
        raise NotFound(f"This project has no frozen dataset {ref}.", field="dataset")
    return cases_for(row, feature)


def cases_for(version: DatasetVersion, feature: str) -> FrozenCases:
    """The cases of a stored version for one feature."""
    cases = cases_of(version)
    own = [case for case in cases if _asks(case, feature)]
    return FrozenCases(
        label=str(version),
        digest=version.digest,
        contents={case.key: case.content for case in own if case.content is not None},
        erased=[case.key for case in own if case.is_erased],
        elsewhere=[case.key for case in cases if not _asks(case, feature)],
    )


def _asks(case: FrozenCase, feature: str) -> bool:
    """A case without a feature is for any."""
    return case.feature is None or case.feature == feature
