"""Cases from a file: what would happen, and then all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from promptstore.core.actors import Actor
from registry.dataset_files import FileFormat, Finding, ReadFile, read_cases
from registry.datasets import SourceKind
from registry.errors import ImportFindings
from registry.models import Dataset, DatasetCase, Feature
from registry.selectors.datasets import current_cases
from registry.services.access import get_for
from registry.services.case_rows import says
from registry.services.cases import Added, add_cases


@dataclass(frozen=True)
class ImportReport:
    """What a file would do: cases that are new, cases that are there already, and what stands in the way."""

    new: int
    same: int
    findings: tuple[Finding, ...]


def check_import(*, actor: Actor, dataset_id: UUID, text: str, file_format: FileFormat) -> ImportReport:
    """The dry run. Changes nothing."""
    dataset = get_for(actor, "dataset.edit", Dataset.objects.all(), dataset_id)
    return _report(dataset, read_cases(text, file_format))


@transaction.atomic
def import_cases(*, actor: Actor, dataset_id: UUID, text: str, file_format: FileFormat) -> Added:
    """Add every case of the file, or none.

    Raises `ImportFindings` with line and field of each fault in `errors`.
    """
    dataset = get_for(actor, "dataset.edit", Dataset.objects.all(), dataset_id)
    file = read_cases(text, file_format)
    report = _report(dataset, file)
    if report.findings:
        first = report.findings[0]
        raise ImportFindings(
            f"Line {first.line}: {first.message} Nothing was imported.",
            field="text",
            errors=[
                {"line": item.line, "field": item.field, "message": item.message} for item in report.findings
            ],
        )
    return add_cases(actor=actor, dataset_id=dataset.pk, cases=file.cases, source=SourceKind.IMPORT)


def _report(dataset: Dataset, file: ReadFile) -> ImportReport:
    there = {case.key: case for case in current_cases(dataset=dataset)}
    erased = set(
        DatasetCase.objects.filter(dataset=dataset, erased_at__isnull=False).values_list("key", flat=True)
    )
    features = dict(Feature.objects.filter(project_id=dataset.project_id).values_list("slug", "pk"))
    findings = list(file.findings)
    same = 0
    for line, case in zip(file.lines, file.cases, strict=True):
        known = there.get(case.key)
        if case.feature and case.feature not in features:
            findings.append(Finding(line, f"This project has no feature “{case.feature[:80]}”.", "feature"))
        elif case.key in erased:
            findings.append(
                Finding(
                    line, f"The case {case.key} was erased. If this is another one, use another key.", "key"
                )
            )
        elif known is None:
            continue
        elif says(known, case.content) and known.feature_id == features.get(case.feature or ""):
            same += 1
        else:
            findings.append(
                Finding(
                    line,
                    f"The case {case.key} says something else already. Change it there, or use another key.",
                    "key",
                )
            )
    findings.sort(key=lambda finding: finding.line)
    return ImportReport(len(file.cases) - same, same, tuple(findings[:50]))
