"""A dataset as a file."""

from __future__ import annotations

from dataclasses import dataclass

from registry.dataset_files import FileFormat, write_cases
from registry.datasets import CaseContent, NewCase
from registry.models import Dataset
from registry.selectors.datasets import current_cases, dataset_version, placed_cases


@dataclass(frozen=True)
class Export:
    """A file's text, what it is called, and how many erased cases it leaves out."""

    name: str
    format: FileFormat
    text: str
    erased: int


def export_cases(*, dataset: Dataset, file_format: FileFormat, version: str = "") -> Export:
    """The current cases by key, or those of a frozen version in their order. Raises `NotFound`."""
    if version:
        row = dataset_version(dataset=dataset, version=version)
        name, cases = f"{dataset.name}-{row.version}", placed_cases(version=row)
    else:
        name, cases = dataset.name, list(current_cases(dataset=dataset).order_by("key"))
    kept = [
        NewCase(
            CaseContent.stored(case.content),
            key=case.key,
            feature=case.feature.slug if case.feature else None,
        )
        for case in cases
        if case.content is not None
    ]
    return Export(
        f"{name}.{file_format.value}", file_format, write_cases(kept, file_format), len(cases) - len(kept)
    )
