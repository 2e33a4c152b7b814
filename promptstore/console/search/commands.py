"""What a person can do from anywhere, found by name. A command whose page is missing, or that they may not use, is not offered."""

from __future__ import annotations

from dataclasses import dataclass

from promptstore.console.navigation import ENTRIES, url_or_none
from promptstore.console.search.results import Result
from promptstore.core.permissions import TABLE, Role

KIND = "Command"
LIMIT = 8


@dataclass(frozen=True)
class Command:
    """A verb and the page that does it; `words` are other words by which people look for it."""

    label: str
    url_name: str
    icon: str
    permission: str = "project.read"
    words: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("New prompt", "registry:prompt_create", "plus", "prompt.edit", "create add"),
    Command("New feature", "registry:feature_create", "plus", "feature.manage", "create add"),
    Command("Register a model", "registry:model_register", "plus", "model.register", "new create add"),
    Command("New endpoint", "registry:endpoint_create", "plus", "endpoint.manage", "create add provider"),
    Command("Publish a serving config", "registry:config_publish", "plus", "config.publish", "new create"),
    Command("Publish a suite", "evals:suite_publish", "plus", "dataset.edit", "create new gates scorers"),
    Command("New dataset", "registry:dataset_create", "plus", "dataset.edit", "create add cases"),
    Command(
        "Compose a release",
        "releases:release_compose",
        "release",
        "release.compose",
        "new create request promotion",
    ),
    Command(
        "Request promotion", "releases:release_list", "promotion", "promotion.request", "promote release"
    ),
    Command("Review the next answer", "reviews:next", "review", "review.label", "label judge queue"),
    Command("New notification channel", "incidents:channel_create", "bell", "policy.manage", "webhook alert"),
    Command("New service key", "console:service_key_create", "key", "key.manage", "api create"),
    Command("New personal token", "console:token_create", "key", words="api create"),
    Command("Open promotions", "releases:promotion_list", "promotion", words="approve waiting"),
    Command("Open inferences", "telemetry:inference_list", "activity", "inference.read", "calls log"),
    Command("Open endpoints", "registry:endpoint_list", "plug", words="providers"),
    Command("Open serving configs", "registry:config_list", "settings"),
    Command("Open prompt rules", "registry:lint_policy", "adjustments", words="lint banned topics"),
    Command("Open coverage", "registry:coverage", "shield-check", words="scan ungoverned call sites"),
    Command("My notifications", "console:notification_settings", "bell", words="mail webhook preferences"),
    Command("Change my password", "password_change", "lock", words="account"),
    *(
        Command(f"Open {entry.label}", entry.url_name, entry.icon, entry.permission, "go to")
        for entry in ENTRIES
    ),
)


def matching_commands(query: str, roles: frozenset[Role]) -> list[Result]:
    """Commands for these roles whose label or words hold every word of `query`, those that begin with it first.

    Without a query the first few: they are the ones that make something.
    """
    asked = query.lower().split()
    fitting = [
        (not command.label.lower().startswith(query.lower()), command)
        for command in COMMANDS
        if roles & TABLE[command.permission]
        and all(word in f"{command.label} {command.words}".lower() for word in asked)
    ]
    fitting.sort(key=lambda pair: pair[0])
    found = []
    for _, command in fitting:
        url = url_or_none(command.url_name)
        if url:
            found.append(Result(KIND, command.label, "", url, command.icon))
    return found[:LIMIT]
