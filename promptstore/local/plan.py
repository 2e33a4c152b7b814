"""What a local instance consists of, in the order in which it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from promptstore.local import commands, model
from promptstore.local.config import LocalConfig
from promptstore.local.environment import Connections, application_environment, owner_environment
from promptstore.local.home import Home
from promptstore.local.ports import port_again
from promptstore.local.postgres import EmbeddedPostgres
from promptstore.local.readiness import file_probe, http_probe
from promptstore.local.service import Action, Service, Step, Task
from promptstore.local.valkey import EmbeddedValkey


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps, the environment they share (with the owner's URL), and what the person should know."""

    steps: tuple[Step, ...]
    environment: Mapping[str, str]
    notes: tuple[str, ...]


def build_plan(config: LocalConfig, *, home: Home, root: Path, environ: Mapping[str, str]) -> Plan:
    """Embedded servers for whatever is not configured, set-up as the owner, then the application."""
    postgres = None if config.database_url else EmbeddedPostgres(home=home)
    valkey = None if config.broker_url else EmbeddedValkey(home=home)
    lacking = model.missing() if config.run_model else None
    local_model = None
    if config.run_model and not lacking:
        local_model = model.LocalModel(home=home, root=root, port=port_again(home.model_address()))
    connections = Connections(
        database_url=config.database_url or (postgres.app_url if postgres else ""),
        database_owner_url=config.database_owner_url or (postgres.owner_url if postgres else ""),
        broker_url=config.broker_url or (valkey.url if valkey else ""),
        model_url=config.model_url or (local_model.url if local_model else None),
    )
    application = application_environment(environ, config=config, home=home, connections=connections)
    owner = owner_environment(application, connections=connections)
    servers = (
        *([postgres.service()] if postgres else []),
        *([valkey.service()] if valkey else []),
        *([local_model.service(environ)] if local_model else []),
    )
    steps: list[Step] = []
    if postgres:
        steps.append(Action(title="Data directory", run=postgres.prepare))
    if servers:
        steps.append(servers)
    if postgres:
        steps.append(Action(title="Database roles", run=postgres.ensure_roles))
    steps += _set_up(home=home, root=root, application=application, owner=owner)
    steps.append(_application(config, home=home, root=root, environment=application))
    notes = (f"no local model: {lacking}",) if lacking else ()
    return Plan(steps=tuple(steps), environment=owner, notes=notes)


def _set_up(
    *, home: Home, root: Path, application: Mapping[str, str], owner: Mapping[str, str]
) -> tuple[Task, ...]:
    return (
        Task(name="migrate", title="Migrations", command=commands.MIGRATE, environment=owner, directory=root),
        Task(
            name="bootstrap",
            title="Keys and roles",
            command=commands.BOOTSTRAP,
            environment=owner,
            directory=root,
        ),
        Task(
            name="load_demo",
            title="Demo project",
            command=commands.LOAD_DEMO,
            environment=application,
            directory=root,
            # Its output holds passwords: shown once to the person, never logged.
            show_output=True,
            wanted=lambda: not home.demo_file.exists(),
        ),
        Task(
            name="follow_model",
            title="Address of the model",
            command=commands.FOLLOW_MODEL,
            environment=application,
            directory=root,
            wanted=lambda: application.get("PROMPTSTORE_MODEL_URL", "") not in {"", home.model_address()},
        ),
    )


def _application(
    config: LocalConfig, *, home: Home, root: Path, environment: Mapping[str, str]
) -> tuple[Service, ...]:
    def web(name: str, title: str, command: tuple[str, ...], url: str) -> Service:
        return Service(
            name=name,
            title=title,
            command=command,
            environment=environment,
            directory=root,
            ready=http_probe(url, alive="/livez"),
            # Requests and streams under way may finish.
            stop_timeout_s=15,
        )

    def celery(name: str, title: str, command: tuple[str, ...], *, stop_timeout_s: float) -> Service:
        mark = home.run / f"{name}.ready"
        return Service(
            name=name,
            title=title,
            command=command,
            environment={**environment, commands.READY_FILE_VARIABLE: str(mark)},
            directory=root,
            ready=file_probe(mark),
            ready_mark=mark,
            # Tasks are acknowledged late: what is cut off here runs again.
            stop_timeout_s=stop_timeout_s,
        )

    return (
        web("console", "Console", commands.console(config), config.console_url),
        web("serving", "Serving", commands.SERVING, config.serving_url),
        celery("worker", "Worker", commands.WORKER, stop_timeout_s=10),
        celery("controller", "Rollout controller", commands.CONTROLLER, stop_timeout_s=10),
        celery("scheduler", "Scheduler", commands.scheduler(home), stop_timeout_s=5),
    )
