"""Is what was released what the digests say?"""

from __future__ import annotations

from typing import Any

from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import INDEX, digest


def manifest(bundle: Opened, finding: Finding) -> None:
    """The manifest's digest is the release's, under the name and version that the bundle is about."""
    body, index = bundle.json("manifest.json"), bundle.json(INDEX)
    release = bundle.json("release.json")
    finding.expect(digest(body) == bundle.release_digest, "manifest.json has another digest than the release")
    finding.expect(
        (body["feature"], body["version"]) == (index["feature"], index["release"]["version"]),
        "manifest.json is of another feature or version",
    )
    finding.expect(
        (release["digest"], release["version"], release["id"])
        == (bundle.release_digest, body["version"], index["release"]["id"]),
        "release.json is of another release",
    )


def artifacts(bundle: Opened, finding: Finding) -> None:
    """Each pinned version is there, and its content has the pinned digest; nothing else is there."""
    pins = _pins(bundle.json("manifest.json"))
    seen = set()
    for name, body in bundle.each("artifacts"):
        document = body["document"]
        pin = (document["kind"], document["name"], document["version"], digest(document))
        finding.expect(body["digest"] == pin[3], f"{name}: the content has another digest than it says")
        finding.expect(pin in pins, f"{name} is not what the manifest pins")
        finding.expect(
            body["history"][-1]["digest"] == pin[3], f"{name}: the history ends with another version"
        )
        seen.add(pin)
    for kind, what, version, _digest in sorted(pins - seen):
        finding.faults.append(f"manifest.json pins {kind} {what}@{version}, and its content is not there")


def _pins(body: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    pins = [("prompt", pin) for pin in body["prompts"]]
    pins += [("model", pin) for pin in body["models"].values()] + [("config", body["config"])]
    return {(kind, pin["name"], pin["version"], pin["digest"]) for kind, pin in pins}
