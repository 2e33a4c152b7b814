from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from promptstore.local.config import LocalConfig
from promptstore.local.home import Home
from promptstore.local.plan import Plan, build_plan
from promptstore.local.service import Action, Service, Task

OWNER = "postgresql://owner:secret@db/promptstore"
CONFIGURED: dict[str, str] = {
    "database_url": "postgresql://app:secret@db/promptstore",
    "database_owner_url": OWNER,
    "broker_url": "redis://broker/0",
    "model_url": "http://models/v1",
}


def plan_for(home: Path, *, environ: dict[str, str] | None = None, configured: bool = True) -> Plan:
    config = LocalConfig(home=home, run_model=False)
    if configured:
        config = dataclasses.replace(config, **CONFIGURED)  # type: ignore[arg-type]
    return build_plan(config, home=Home.open(home), root=home, environ=environ or {})


def services_of(plan: Plan) -> dict[str, Service]:
    groups = [step for step in plan.steps if not isinstance(step, Task | Action)]
    return {service.name: service for group in groups for service in group}


def tasks_of(plan: Plan) -> dict[str, Task]:
    return {step.name: step for step in plan.steps if isinstance(step, Task)}


def test_with_servers_of_your_own_none_is_embedded(tmp_path: Path) -> None:
    services = services_of(plan_for(tmp_path))
    assert set(services) == {"console", "serving", "worker", "controller", "scheduler"}
    assert services["serving"].environment["PROMPTSTORE_MODEL_URL"] == "http://models/v1"


def test_without_servers_they_come_first(tmp_path: Path) -> None:
    services = list(services_of(plan_for(tmp_path, configured=False)))
    assert services[:2] == ["postgres", "valkey"]


@pytest.mark.parametrize("name", ["DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"])
def test_what_serves_requests_and_runs_tasks_never_has_the_owners_url(tmp_path: Path, name: str) -> None:
    plan = plan_for(tmp_path, environ={name: OWNER})
    environments = [service.environment for service in services_of(plan).values()]
    for environment in (*environments, tasks_of(plan)["load_demo"].environment):
        assert OWNER not in environment.values()
    assert tasks_of(plan)["migrate"].environment["DATABASE_OWNER_URL"] == OWNER


def test_keys_are_made_unless_the_environment_brings_them(tmp_path: Path) -> None:
    made = services_of(plan_for(tmp_path))["console"].environment
    assert Path(made["PROMPTSTORE_MASTER_KEY_FILE"]).stat().st_mode & 0o777 == 0o600
    brought = plan_for(tmp_path, environ={"PROMPTSTORE_MASTER_KEY": "mine"})
    assert "PROMPTSTORE_MASTER_KEY_FILE" not in services_of(brought)["console"].environment


def test_the_demo_project_is_loaded_on_the_first_start_only(tmp_path: Path) -> None:
    load_demo = tasks_of(plan_for(tmp_path))["load_demo"]
    assert load_demo.wanted()
    (tmp_path / "demo.json").touch()
    assert not load_demo.wanted()


def test_the_demo_follows_a_model_that_moved(tmp_path: Path) -> None:
    follow = tasks_of(plan_for(tmp_path))["follow_model"]
    assert follow.wanted()
    (tmp_path / "model_address").write_text("http://models/v1\n")
    assert not follow.wanted()
    assert not tasks_of(plan_for(tmp_path, configured=False))["follow_model"].wanted()
