"""What people do in a replay, each through the management API with their own rights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.management import Answer
from promptstore.demo.content import CONFIG, FEATURE, PROMPT
from promptstore.replay.stage import Stage

HOSTED, HOSTED_VERSION = "assistant-hosted", "2026.11.1"
_POLL_S = 0.3
_T = TypeVar("_T")


class NothingHappenedError(CommandError):
    """What should have come did not come in time."""

    def __init__(self, what: str) -> None:
        super().__init__(Exit.FINDINGS, {"code": "nothing_happened", "detail": f"Waited in vain: {what}."})


def wait_for(what: str, look: Callable[[], _T | None], *, within_s: float = 120.0) -> _T:
    """The first thing that `look` finds; raises `NothingHappenedError`."""
    deadline = time.monotonic() + within_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise NothingHappenedError(what)
        time.sleep(_POLL_S)
    return found


class Team:
    """The people of the demo project."""

    def __init__(self, stage: Stage) -> None:
        self._people = stage.people

    def read(self, path: str, *, who: str = "engineer", **query: str) -> Any:
        return self._people[who].get(path, **query).body

    def post(self, who: str, path: str, **body: Any) -> Any:
        return self._people[who].post(path, body).body

    def register_entry(self, *, name: str, version: str, entry: Mapping[str, Any]) -> None:
        """A new immutable model entry."""
        self.post("engineer", f"models/{name}/versions/", version=version, **entry)

    def publish_config(self, *, version: str, body: Mapping[str, Any], changelog: str) -> None:
        self.post(
            "engineer", f"configs/{CONFIG}/versions/", version=version, body=dict(body), changelog=changelog
        )

    def publish_prompt(self, edit: Callable[[dict[str, Any]], None], *, changelog: str) -> str:
        """The writer edits the draft as `edit` does, and publishes; returns the new version."""
        path = f"prompts/{PROMPT}/drafts/main/"
        draft = self._people["writer"].get(path)
        body = draft.body["body"]
        edit(body)
        saved = self._people["writer"].put(path, {"body": body}, if_match=draft.etag)
        made = self._people["writer"].post(
            f"{path}publish/", {"changelog": changelog}, if_match=saved.etag or draft.etag
        )
        return str(made.body["version"])

    def change_policy(self, environment: str, change: Callable[[dict[str, Any]], None], *, why: str) -> None:
        path = f"environments/{environment}/policy/"
        policy: Answer = self._people["owner"].get(path)
        body = dict(policy.body["body"])
        change(body)
        self._people["owner"].put(path, {"body": body, "reason": why}, if_match=policy.etag)

    def compose(
        self, *, prompt: str, model: str, config: str, version: str, changelog: str
    ) -> dict[str, Any]:
        """A new release, as the API answers it."""
        made: dict[str, Any] = self.post(
            "engineer", "releases/",
            feature=FEATURE, prompts={PROMPT: prompt}, models={"primary": model},
            config=f"{CONFIG}@{config}", version=version, changelog=changelog,
        )  # fmt: skip
        return made

    def promote(self, release: Mapping[str, Any], environment: str, *, reason: str) -> dict[str, Any]:
        """Request it and wait for the gates; where people must approve, the approver does. Returns the promotion."""
        asked = self.post(
            "engineer", "promotions/", release=release["digest"], environment=environment, reason=reason
        )
        path = f"promotions/{asked['promotion']['id']}/"

        def settled() -> dict[str, Any] | None:
            found: dict[str, Any] = self.read(path)
            return None if found["promotion"]["state"] in {"drafted", "checking", "approved"} else found

        found = wait_for(f"the gates of {environment}", settled, within_s=300)
        if found["promotion"]["state"] == "awaiting_approval":
            self.post(
                "approver", f"{path}approve/",
                release_digest=found["release_digest"], evidence_digest=found["evidence_digest"],
                comment="The reports are good.",
            )  # fmt: skip
            found = wait_for(f"the start in {environment}", settled)
        if found["promotion"]["state"] not in {"live", "rolling_out"}:
            detail = f"The promotion to {environment} is {found['promotion']['state']}: {found['promotion']['outcome']}"
            raise CommandError(Exit.FINDINGS, {"code": "not_promoted", "detail": detail})
        return found

    def drift(self) -> dict[str, Any]:
        """What is known about the hosted entry: its baseline, its latest run and what is under way."""
        found: dict[str, Any] = self.read(f"models/{HOSTED}/versions/{HOSTED_VERSION}/drift/")
        return found

    def is_probing(self) -> bool:
        """Whether a probe of the hosted entry is under way; never before the entry is registered."""
        try:
            return bool(self.drift()["pending"])
        except CommandError as error:
            if error.problem.get("status") == 404:
                return False
            raise

    def rollout(self, rollout_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.read(f"rollouts/{rollout_id}/", who="operator")
        return found
