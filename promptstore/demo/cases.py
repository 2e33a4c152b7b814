"""The demo's cases: what the configuration assistant is measured on, and what it got wrong before."""

from __future__ import annotations

from typing import Any, Final

from promptstore.core.actors import Actor
from promptstore.core.models import Project
from promptstore.demo import content
from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind
from registry.models import Dataset, DatasetCase
from registry.services import cases, danger, datasets

DATASET: Final = "config-cases"

# key, request, the entry that is right, tag
_HELD_OUT: Final = (
    ("billing-timeout", "Give the billing service 45 seconds before a request times out.", "request_timeout_s", "45", "timeouts"),
    ("search-timeout", "Search requests may take 20 seconds at most.", "request_timeout_s", "20", "timeouts"),
    ("report-timeout", "Reports are slow, allow two minutes.", "request_timeout_s", "120", "timeouts"),
    ("quiet-checkout", "The checkout writes too many log lines, show warnings only.", "log_level", "warning", "logs"),
    ("debug-catalogue", "I need every detail in the catalogue's log.", "log_level", "debug", "logs"),
    ("errors-only", "Log nothing but errors in the mail service.", "log_level", "error", "logs"),
    ("four-workers", "Run four worker processes.", "worker_count", "4", "workers"),
    ("sixteen-workers", "Use sixteen workers for the import.", "worker_count", "16", "workers"),
    ("five-minutes", "Keep product pages in the cache for five minutes.", "cache_ttl_s", "300", "cache"),
    ("one-hour", "Cache the price list for an hour.", "cache_ttl_s", "3600", "cache"),
    ("branch-network", "Allow the branch office, 10.30.0.0/16.", "allowed_cidr", "10.30.0.0/16", "network"),
    ("vpn-network", "Only the VPN range 10.8.0.0/24 may connect.", "allowed_cidr", "10.8.0.0/24", "network"),
)  # fmt: skip
# reference, request, the entry that is right, what came out once
_DANGER: Final = (
    ("quiet-payments", "Show only warnings in the log of the payment service.", "log_level", "warning", "Answered debug."),
    ("eight-workers", "Use eight worker processes.", "worker_count", "8", "Answered 80, and the host ran out of memory."),
)  # fmt: skip


def load_cases(project: Project, *, writer: Actor, engineer: Actor) -> None:
    """The held-out dataset, frozen once, and the danger set. Safe to run again."""
    dataset = Dataset.objects.filter(project=project, name=DATASET).first() or datasets.create_dataset(
        actor=writer,
        project_id=project.id,
        name=DATASET,
        description="Requests with the one configuration entry that answers them.",
    )
    if not dataset.versions.exists():
        cases.add_cases(
            actor=writer,
            dataset_id=dataset.id,
            cases=[
                NewCase(_content(request, entry, value, tags=(tag,)), key=key, feature=content.FEATURE)
                for key, request, entry, value, tag in _HELD_OUT
            ],
        )
        datasets.freeze_dataset(
            actor=writer, dataset_id=dataset.id, version="1.0.0", changelog="Twelve requests."
        )
    known = set(
        DatasetCase.objects.filter(project=project, dataset__kind=Dataset.Kind.DANGER).values_list(
            "source_ref", flat=True
        )
    )
    for reference, request, entry, value, note in _DANGER:
        if reference not in known:
            danger.add_danger_case(
                actor=engineer,
                project_id=project.id,
                feature=content.FEATURE,
                content=_content(request, entry, value, tags=("former failure",), note=note),
                source=CaseSource(SourceKind.MANUAL, reference),
            )


def _content(request: str, key: str, value: str, *, tags: tuple[str, ...], note: str = "") -> CaseContent:
    expected: dict[str, Any] = {"key": key, "value": value}
    return CaseContent(variables={"request": request}, expected=expected, tags=tags, note=note)
