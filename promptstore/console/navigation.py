"""The left rail, by what people do. An entry appears once its page exists and the person may open it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from promptstore.core.permissions import TABLE, Role

Counter = Callable[[HttpRequest], int]


@dataclass(frozen=True)
class Entry:
    """A place in the console. `prefixes` are the paths that count as being there, beside the entry's own."""

    label: str
    url_name: str
    icon: str
    permission: str = "project.read"
    starts_group: bool = False


@dataclass(frozen=True)
class NavItem:
    """An entry ready to show: `count` is what waits there (0 shows nothing)."""

    label: str
    url: str
    icon: str
    is_current: bool
    starts_group: bool
    count: int


ENTRIES: tuple[Entry, ...] = (
    Entry("Home", "console:home", "home"),
    Entry("Prompts", "registry:prompt_list", "prompt", starts_group=True),
    Entry("Models", "registry:model_list", "model"),
    Entry("Datasets & suites", "registry:dataset_list", "dataset"),
    Entry("Releases", "releases:release_list", "release", starts_group=True),
    Entry("Review", "reviews:item_list", "review"),
    Entry("Experiments", "releases:experiment_list", "experiment"),
    Entry("Incidents", "incidents:incident_list", "incident"),
    Entry("Audit", "console:audit", "audit", permission="audit.read", starts_group=True),
    Entry("Settings", "console:settings", "settings", permission="policy.manage"),
)

# What waits behind an entry, by URL name. Filled by `register_counter`, called from the console's own pages.
_COUNTERS: dict[str, Counter] = {}


def register_counter(url_name: str, counter: Counter) -> None:
    """Show `counter(request)` as a badge beside the entry of `url_name`."""
    _COUNTERS[url_name] = counter


def url_or_none(url_name: str) -> str | None:
    """The path of a page without arguments, or `None` while no such page exists."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def items_for(request: HttpRequest, roles: frozenset[Role]) -> list[NavItem]:
    """The rail for this request; the entry whose path is the longest prefix of the current one is current."""
    reachable = [
        (entry, url)
        for entry in ENTRIES
        if roles & TABLE[entry.permission] and (url := url_or_none(entry.url_name)) is not None
    ]
    here = max((url for _, url in reachable if _contains(url, request.path)), key=len, default=None)
    return [
        NavItem(
            label=entry.label,
            url=url,
            icon=entry.icon,
            is_current=url == here,
            starts_group=entry.starts_group,
            count=_COUNTERS[entry.url_name](request) if entry.url_name in _COUNTERS else 0,
        )
        for entry, url in reachable
    ]


def _contains(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
