"""The release manifest: what one digest stands for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptstore.core.digests import digest_json

FORMAT = 1
Pin = Mapping[str, str]


def build(
    *,
    feature: str,
    version: str,
    primary: str,
    prompts: Sequence[Pin],
    models: Mapping[str, Pin],
    config: Pin,
) -> dict[str, Any]:
    """The manifest of one release. Prompts are ordered by name, so that the same content has the same digest."""
    return {
        "format": FORMAT,
        "feature": feature,
        "version": version,
        "primary": primary,
        "prompts": [dict(pin) for pin in sorted(prompts, key=lambda pin: pin["name"])],
        "models": {role: dict(pin) for role, pin in sorted(models.items())},
        "config": dict(config),
    }


def digest(manifest: Mapping[str, Any]) -> str:
    """The release digest."""
    return digest_json(manifest)


def differences(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[dict[str, str]]:
    """What changes from `old` to `new`, one row per artifact: kind, name, from and to version (empty where absent)."""
    before, after = _versions(old), _versions(new)
    rows = []
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            kind, name = key
            rows.append({"kind": kind, "name": name, "from": before.get(key, ""), "to": after.get(key, "")})
    return rows


def _versions(manifest: Mapping[str, Any] | None) -> dict[tuple[str, str], str]:
    if manifest is None:
        return {}
    found = {("prompt", pin["name"]): pin["version"] for pin in manifest["prompts"]}
    found |= {("model", role): f"{pin['name']}@{pin['version']}" for role, pin in manifest["models"].items()}
    config = manifest["config"]
    found["config", config["name"]] = config["version"]
    return found
