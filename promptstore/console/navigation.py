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
    """A place in the console. `prefixes` name the pages whose paths count as being there, beside the entry's own."""

    label: str
    url_name: str
    icon: str
    permission: str = "project.read"
    starts_group: bool = False
    prefixes: tuple[str, ...] = ()


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
    Entry("Prompts", "registry:prompt_list", "prompt", starts_group=True, prefixes=("registry:lint_policy",)),
    Entry(
        "Models", "registry:model_list", "model", prefixes=("registry:endpoint_list", "registry:config_list")
    ),
    Entry("Datasets & suites", "registry:dataset_list", "dataset", prefixes=("evals:suite_list",)),
    # A feature is what is released, so it opens the group that leads from it to releases and incidents.
    Entry("Features", "registry:feature_list", "branch", starts_group=True),
    Entry("Releases", "releases:release_list", "release"),
    Entry("Review", "reviews:item_list", "review", permission="review.read"),
    Entry("Experiments", "releases:experiment_list", "experiment"),
    Entry("Inventory", "console:inventory", "eye"),
    Entry("Incidents", "incidents:incident_list", "incident"),
    Entry("Audit", "console:audit", "audit", permission="audit.read", starts_group=True),
    Entry("Settings", "console:settings", "settings"),
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
    """The rail for this request; the entry with the longest prefix of the current path is current."""
    reachable = [
        (entry, url)
        for entry in ENTRIES
        if roles & TABLE[entry.permission] and (url := url_or_none(entry.url_name)) is not None
    ]
    lengths = {entry: _match_length(entry, request.path) for entry, _ in reachable}
    longest = max(lengths.values(), default=0)
    return [
        NavItem(
            label=entry.label,
            url=url,
            icon=entry.icon,
            is_current=longest > 0 and lengths[entry] == longest,
            starts_group=entry.starts_group,
            count=_COUNTERS[entry.url_name](request) if entry.url_name in _COUNTERS else 0,
        )
        for entry, url in reachable
    ]


def _match_length(entry: Entry, path: str) -> int:
    urls = [url_or_none(name) for name in (entry.url_name, *entry.prefixes)]
    return max((len(url) for url in urls if url is not None and _contains(url, path)), default=0)


def _contains(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
