"""The environment of the children."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from promptstore.local.config import LocalConfig
from promptstore.local.home import Home, new_master_key, new_secret_key, write_private

# Eight processes import the same packages: without cached bytecode every start takes three times as long.
_DROPPED = ("PYTHONDONTWRITEBYTECODE",)
_SWITCHES = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "PROMPTSTORE_MODEL_URL")


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Where the servers are, embedded or not; without a model `model_url` is `None`."""

    database_url: str
    database_owner_url: str
    broker_url: str
    model_url: str | None


def application_environment(
    environ: Mapping[str, str], *, config: LocalConfig, home: Home, connections: Connections
) -> dict[str, str]:
    """For console, serving, workers and the demo loader: without the owner's rights on the database."""
    cleaned = {
        name: value
        for name, value in environ.items()
        if name not in (*_SWITCHES, *_DROPPED) and name.removesuffix("_FILE") not in _SWITCHES
    }
    return cleaned | {
        "DATABASE_URL": connections.database_url,
        "BROKER_URL": connections.broker_url,
        **({"PROMPTSTORE_MODEL_URL": connections.model_url} if connections.model_url else {}),
        "PROMPTSTORE_HOME": str(home.path),
        "PORT": str(config.port),
        "SERVE_HOST": config.bind,
        "SERVE_PORT": str(config.serve_port),
        "CONSOLE_URL": environ.get("CONSOLE_URL") or config.console_url,
        "SERVING_URL": environ.get("SERVING_URL") or config.serving_url,
        **_keys(environ, home=home),
        "DJANGO_SETTINGS_MODULE": "promptstore.settings",
        "PYTHONUNBUFFERED": "1",
    }


def owner_environment(environment: Mapping[str, str], *, connections: Connections) -> dict[str, str]:
    """For migrations and the first set-up: the application's environment and the owner's URL."""
    return {**environment, "DATABASE_OWNER_URL": connections.database_owner_url}


def publish(environment: Mapping[str, str], *, home: Home) -> None:
    """Let commands in another terminal find the running instance (`python -m promptstore.local env`)."""
    names = (
        *_SWITCHES, "PROMPTSTORE_HOME", "PORT", "SERVE_PORT", "CONSOLE_URL", "SERVING_URL",
        "PROMPTSTORE_SECRET_KEY_FILE", "PROMPTSTORE_MASTER_KEY_FILE",
    )  # fmt: skip
    chosen = {name: environment[name] for name in names if name in environment}
    write_private(published(home), json.dumps(chosen, indent=2) + "\n")


def published(home: Home) -> Path:
    """The file that `publish` writes and the supervisor removes when it stops."""
    return home.path / "run" / "environment.json"


def _keys(environ: Mapping[str, str], *, home: Home) -> dict[str, str]:
    """Files with the keys of this instance, unless the environment brings keys of its own."""
    made = {
        "PROMPTSTORE_SECRET_KEY": ("secret_key", new_secret_key, None),
        # Credentials in the embedded database are sealed with it: a new one would not open them.
        "PROMPTSTORE_MASTER_KEY": ("master_key", new_master_key, home.path / "postgres" / "data"),
    }
    return {
        f"{name}_FILE": str(home.secret_file(file, make, needed_by=needed_by))
        for name, (file, make, needed_by) in made.items()
        if not environ.get(name) and not environ.get(f"{name}_FILE")
    }
