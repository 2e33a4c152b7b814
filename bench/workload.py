"""What the gateway is measured with: features of ordinary size in front of the scripted provider, made through the services.

`python -m bench.workload PROVIDER_PORT`, in the environment of an instance that holds the demo; writes `Access` as JSON. A process
of its own, because Django's settings are read once in a process and every benchmark has an instance of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from promptstore.local.embedded import ROOT

ANSWER = '{"key": "request_timeout_s", "value": "30"}'
LATENCY_MS = 20
# Model ids of the provider: what the gateway adds shows best beside an instant answer, and as users have it beside a slow one.
SCRIPT: dict[str, Any] = {
    "models": {
        "instant": {"answer": ANSWER, "chunks": 8},
        "slow": {"answer": ANSWER, "chunks": 8, "latency_ms": LATENCY_MS},
    }
}
# Feature: the model behind it, and whether its policy holds the answer back until it was checked.
FEATURES: dict[str, tuple[str, str]] = {
    "instant": ("instant", "buffer"),
    "slow": ("slow", "buffer"),
    "streamed": ("slow", "off"),
}
VARIABLES: dict[str, Any] = {
    "request": "Requests to billing time out, allow thirty seconds.",
    "team": "payments",
    "notes": [
        "The change window closes at six.",
        "Ask before a restart.",
        "The catalogue is read-only today.",
    ],
}
_RULE = "Answer with exactly one entry as JSON, name its key as the operators' handbook does, and keep the value short. "
PROMPT_BODY: dict[str, Any] = {
    "messages": [
        {
            "role": "system",
            "content": "You suggest one configuration entry for the team {{ team }}. " + 14 * _RULE,
        },
        {
            "role": "user",
            "content": "{{ request }}{% for note in notes %}\n- {{ note }}{% endfor %}",
        },
    ],
    "input_schema": {
        "type": "object",
        "properties": {
            "request": {"type": "string", "maxLength": 400},
            "team": {"type": "string", "maxLength": 40},
            "notes": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 10},
        },
        "required": ["request", "team", "notes"],
        "additionalProperties": False,
    },
    "output_schema": {
        "type": "object",
        "properties": {"key": {"type": "string"}, "value": {"type": "string", "maxLength": 24}},
        "required": ["key", "value"],
        "additionalProperties": False,
    },
    "tools": [],
    "params": {"temperature": 0, "max_tokens": 48, "response_format": "json_schema"},
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """`cookie` is the session of an operator who is signed in to the console, as a browser sends it."""

    cookie: str


def prepare(environment: Mapping[str, str], *, provider_port: int) -> Access:
    """Make the features in an instance, live in production."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.workload", str(provider_port)],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the features could not be made:\n{done.stderr.decode()[-4000:]}")
    return Access(**json.loads(done.stdout))


def main() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from promptstore.core import keys
    from promptstore.core.models import Project, User

    project = Project.objects.get(slug="acme")
    people = {user.username: user for user in User.objects.all()}
    actors = {name: keys.actor_for_user(user) for name, user in people.items()}
    _make(project, actors, provider_port=int(sys.argv[1]))
    client = Client()
    client.force_login(people["operator"])
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    json.dump(asdict(Access(cookie=f"{cookie.key}={cookie.value}")), sys.stdout)


def _make(project: Any, actors: Mapping[str, Any], *, provider_port: int) -> None:
    from promptstore.core.models import Environment
    from registry.services import configs, endpoints, models, prompts, publishing

    engineer, writer = actors["engineer"], actors["writer"]
    endpoints.create_endpoint(
        actor=engineer,
        project_id=project.id,
        name="scripted",
        protocol="openai_http",
        base_url=f"http://127.0.0.1:{provider_port}/v1",
        allow_private=True,
    )
    for name in SCRIPT["models"]:
        entry = {
            "kind": "hosted",
            "provider": "scripted",
            "provider_model_id": name,
            "endpoint": "scripted",
            "snapshot_at": "2026-01-01T00:00:00Z",
            "context_tokens": 4_096,
            "price": {"input_nanos_per_mtok": 100_000_000, "output_nanos_per_mtok": 400_000_000},
        }
        models.register_model_version(
            actor=engineer, project_id=project.id, name=name, version="1.0.0", entry=entry
        )
    for mode in sorted({mode for _, mode in FEATURES.values()}):
        configs.publish_config_version(
            actor=engineer, project_id=project.id, name=mode, version="1.0.0", body=config_body(mode)
        )
    prompt = prompts.create_prompt(
        actor=writer,
        project_id=project.id,
        name="measured",
        body=PROMPT_BODY,
        example_inputs=[{"name": "timeouts", "variables": VARIABLES}],
    )
    draft = prompt.drafts.get(name="main")
    publishing.publish_version(
        actor=writer, draft_id=draft.id, revision=draft.revision, version="1.0.0", changelog="First."
    )
    production = Environment.objects.get(project=project, slug="production")
    for name, (model, mode) in FEATURES.items():
        _go_live(production, actors, name=name, model=model, config=mode)


def _go_live(production: Any, actors: Mapping[str, Any], *, name: str, model: str, config: str) -> None:
    from promptstore.core.actors import system
    from registry.services import features
    from releases import services
    from releases.models import Deployment

    project_id = production.project_id
    feature = features.create_feature(actor=actors["owner"], project_id=project_id, slug=name, name=name)
    release = services.compose_release(
        actor=actors["engineer"],
        project_id=project_id,
        feature=name,
        prompts={"measured": "1.0.0"},
        models={"primary": f"{model}@1.0.0"},
        config=f"{config}@1.0.0",
    )
    deployment = Deployment.objects.create(project_id=project_id, feature=feature, environment=production)
    services.adopt_release(
        actor=system("setup"), deployment_id=deployment.id, release_id=release.id, reason="Measured."
    )


def config_body(mode: str) -> dict[str, Any]:
    """A serving config that no load here can reach the rate limit of, whose policy filter is in `mode`."""
    return {
        "on_withdraw": "stable",
        "limits": {
            "max_output_tokens": 64,
            "timeout_ms": 10_000,
            "rate_per_s": 10_000,
            "max_input_bytes": 65_536,
        },
        "safe_mode": {"kind": "template", "template": "Suggestions are paused."},
        "policy": {
            "mode": mode,
            "banned": [
                {"id": "open-network", "pattern": "/[./]0/0/"},
                {"id": "no-authentication", "pattern": "disable authentication"},
                {"id": "internal-host", "pattern": "/[a-z]{1,20}[.]internal/"},
            ],
            "message": "This suggestion was withheld.",
        },
        "capture": {"share_bp": 500},
    }


if __name__ == "__main__":
    main()
