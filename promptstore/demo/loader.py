"""Fills an empty instance with the demo project, through the same services that people use. Safe to run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from promptstore.core import keys
from promptstore.core.actors import Actor, system
from promptstore.core.models import Environment, Project, User
from promptstore.demo import content
from promptstore.demo.cases import load_cases
from promptstore.demo.local_model import follow_model
from promptstore.demo.people import make_people
from registry.models import Endpoint, Feature, ModelVersion, Prompt, PromptVersion, ServingConfigVersion
from registry.services import configs, endpoints, features, models, prompts, publishing
from releases import services as releases
from releases.models import Deployment, LivePeriod, Release

_SETUP = system("setup")


def load() -> dict[str, str]:
    """Load what is missing; returns the passwords of the people created now. `demo.json` keeps them and the keys."""
    project, environments = _places()
    passwords = make_people(project)
    _keep(
        users=passwords
    )  # at once: a password is known only now, and what follows may fail and be tried again
    owner, engineer, writer = (_person(name) for name in ("owner", "engineer", "writer"))
    _registry(project, owner=owner, engineer=engineer, writer=writer)
    load_cases(project, writer=writer, engineer=engineer)
    for slug, body in (("staging", content.STAGING_POLICY), ("production", content.PRODUCTION_POLICY)):
        releases.change_policy(
            actor=owner,
            project_id=project.id,
            environment_id=environments[slug].id,
            body=body,
            reason="Demo policy.",
        )
    _release(project, environments, engineer)
    _make_keys(environments, owner)
    follow_model()
    return passwords


def _places() -> tuple[Project, dict[str, Environment]]:
    with transaction.atomic():
        project, _ = Project.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
        environments = {
            kind: Environment.objects.get_or_create(
                project=project,
                slug=kind,
                defaults={"name": kind.capitalize(), "kind": kind, "position": position},
            )[0]
            for position, kind in enumerate(("staging", "production"))
        }
    return project, environments


def _person(name: str) -> Actor:
    return keys.actor_for_user(User.objects.get(username=name))


def _registry(project: Project, *, owner: Actor, engineer: Actor, writer: Actor) -> None:
    if not Feature.objects.filter(project=project, slug=content.FEATURE).exists():
        features.create_feature(
            actor=owner,
            project_id=project.id,
            slug=content.FEATURE,
            name="Configuration assistant",
            description="Suggests one configuration entry for what a person asks.",
        )
    if not Endpoint.objects.filter(project=project, name=content.ENDPOINT).exists():
        endpoints.create_endpoint(
            actor=engineer,
            project_id=project.id,
            name=content.ENDPOINT,
            protocol="openai_http",
            base_url=settings.PROMPTSTORE_MODEL_URL or "http://127.0.0.1:9/v1",
            allow_private=True,
            force=True,
            reason="The model that this instance starts itself.",
        )
    if not ModelVersion.objects.filter(project=project, model__name=content.MODEL).exists():
        models.register_model_version(
            actor=engineer,
            project_id=project.id,
            name=content.MODEL,
            version="1.0.0",
            entry=content.MODEL_ENTRY,
            changelog="SmolLM2-135M-Instruct on this machine. The price is an internal rate for the demo.",
        )
    if not ServingConfigVersion.objects.filter(project=project, config__name=content.CONFIG).exists():
        configs.publish_config_version(
            actor=engineer,
            project_id=project.id,
            name=content.CONFIG,
            body=content.CONFIG_BODY,
            version="1.0.0",
            changelog="Buffered policy filter, deterministic safe mode.",
        )
    if not PromptVersion.objects.filter(project=project, prompt__name=content.PROMPT).exists():
        prompt = Prompt.objects.filter(project=project, name=content.PROMPT).first() or prompts.create_prompt(
            actor=writer,
            project_id=project.id,
            name=content.PROMPT,
            description="Few-shot suggestions as JSON.",
            body=content.PROMPT_BODY,
            example_inputs=content.EXAMPLE_INPUTS,
        )
        draft = prompt.drafts.get(name="main")
        publishing.publish_version(
            actor=writer,
            draft_id=draft.id,
            revision=draft.revision,
            version="1.0.0",
            changelog="First version.",
        )


def _release(project: Project, environments: dict[str, Environment], engineer: Actor) -> None:
    release = Release.objects.filter(project=project, feature__slug=content.FEATURE).order_by("id").first()
    if release is None:
        release = releases.compose_release(
            actor=engineer,
            project_id=project.id,
            feature=content.FEATURE,
            prompts={content.PROMPT: "1.0.0"},
            models={"primary": f"{content.MODEL}@1.0.0"},
            config=f"{content.CONFIG}@1.0.0",
            version="1.0.0",
            changelog="What the team had in production before Promptstore.",
        )
    for environment in environments.values():
        deployment, _ = Deployment.objects.get_or_create(
            project=project, feature=release.feature, environment=environment
        )
        if not LivePeriod.objects.filter(deployment=deployment).exists():
            releases.adopt_release(
                actor=_SETUP,
                deployment_id=deployment.id,
                release_id=release.id,
                reason="Live before Promptstore took over.",
            )


def _access_file() -> Path:
    return Path(settings.PROMPTSTORE_HOME) / "demo.json"


def _keep(**found: dict[str, str]) -> dict[str, Any]:
    """Merge into `demo.json`, readable by its owner only."""
    path = _access_file()
    access: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"users": {}, "keys": {}}
    access |= {"console_url": settings.CONSOLE_URL, "serving_url": settings.SERVING_URL}
    for name, values in found.items():
        access[name] |= values
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(access, indent=2), encoding="utf-8")
    temporary.replace(path)
    return access


def _make_keys(environments: dict[str, Environment], owner: Actor) -> None:
    known = _keep()["keys"]
    for slug, environment in environments.items():
        if slug not in known:
            _, secret = keys.create_service_key(
                actor=owner, environment=environment, name=f"demo {slug}", scopes=["serve", "telemetry"]
            )
            _keep(keys={slug: secret})
