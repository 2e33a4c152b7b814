"""A control plane in miniature for tests of the data plane.

It writes documents, signed roots and keys into a real database.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey

from promptstore.core.digests import canonical_json, digest_bytes, digest_json

ENDPOINT_ID = "0192f0c1-0000-7000-8000-000000000001"
KEY = "ps_" + "k" * 43
AUTH = {"Authorization": f"Bearer {KEY}"}

Document = dict[str, Any]


def prompt(version: str = "1.0.0", *, name: str = "suggest", **changes: Any) -> Document:
    """A prompt that asks for a setting, with one required and one optional variable."""
    body: Document = {
        "messages": [
            {"role": "system", "content": f"You suggest settings. Prompt {version}."},
            {
                "role": "user",
                "content": "Setting for {{ service }}{% if note is defined %} ({{ note }}){% endif %}?",
            },
        ],
        "input_schema": {
            "type": "object",
            "properties": {
                "service": {"type": "string"},
                "note": {"type": "string"},
            },
            "required": ["service"],
        },
        "output_schema": None,
        "tools": [],
        "params": {"temperature": 0},
    } | changes
    return {"name": name, "version": version, "digest": digest_json(body), **body}


def release(
    version: str = "1.0.0",
    *,
    model_id: str = "scripted-1",
    config: Mapping[str, Any] | None = None,
    prompt_body: Document | None = None,
    price: Mapping[str, int] | None = None,
    endpoint: str = ENDPOINT_ID,
) -> Document:
    """A release as documents hold it."""
    first = prompt_body or prompt(version)
    body = {
        "on_withdraw": "stable",
        "limits": {
            "max_output_tokens": 200,
            "timeout_ms": 5_000,
            "rate_per_s": 0,
            "max_input_bytes": 100_000,
        },
        "safe_mode": {"kind": "template", "template": "Ask an administrator about {{ service }}."},
        "policy": {"mode": "off", "banned": [], "message": ""},
        "capture": {"share_bp": 10_000},
    } | dict(config or {})
    model = {
        "name": "suggester",
        "version": version,
        "digest": digest_json({"model": model_id}),
        "provider": "scripted",
        "protocol": "openai_http",
        "model_id": model_id,
        "params": {},
        "endpoint": endpoint,
        "context_tokens": 4_096,
        "price": price and dict(price),
    }
    content = {
        "version": version,
        "primary": first["name"],
        "prompts": {first["name"]: first},
        "models": {"primary": model},
        "config": {"name": "standard", "version": version, "digest": digest_json(body), "body": body},
    }
    return {**content, "digest": digest_json(content)}


def feature(
    name: str = "config-assistant",
    *,
    stable: Document | None,
    candidate: Document | None = None,
    candidate_bp: int = 0,
    withdrawn_bp: int = 0,
    copies: Mapping[str, int] | None = None,
    on_withdraw: str = "stable",
    state: str = "running",
    rollout_id: str = "0192f0c1-0000-7000-8000-00000000000a",
    salt: str = "salt-1",
) -> Document:
    """A feature document; `copies` are its `shadow_bp` and `pairs_bp`."""
    rollout = candidate and {
        "id": rollout_id,
        "state": state,
        "candidate": candidate["digest"],
        "salt": salt,
        "candidate_bp": candidate_bp,
        "withdrawn_bp": withdrawn_bp,
        "on_withdraw": on_withdraw,
        **(copies or {}),
    }
    return {
        "format": 1,
        "feature": name,
        "stable": stable["digest"] if stable else None,
        "rollout": rollout,
        "releases": {entry["digest"]: entry for entry in (stable, candidate) if entry},
    }


def key_entry(
    secret: str = KEY, *, scopes: tuple[str, ...] = ("serve", "telemetry"), **changes: Any
) -> Document:
    """One entry of a node document's keys."""
    digest = sha256(secret.encode()).hexdigest()
    return {digest: {"id": digest[:8], "name": "test", "scopes": list(scopes), "expires_at": None} | changes}


@dataclass
class World:
    """One database with one project. `publish` writes the next root of an environment."""

    url: str
    signing_key: SigningKey = field(default_factory=SigningKey.generate)
    key_id: str = "snapshot-test"
    project_id: UUID = field(default_factory=uuid4)
    environments: dict[str, UUID] = field(default_factory=dict)
    generation: int = 0

    def create_tables(self) -> None:
        """Once per database."""
        merge = importlib.import_module("telemetry.migrations.0002_merge_counts").MERGE
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(Path(__file__).with_name("contract.sql").read_bytes())
            connection.execute(merge)

    def reset(self) -> None:
        """An empty project, and the key that signs its snapshots."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "TRUNCATE core_project, core_environment, core_signingkey, serving_document, serving_root,"
                " serving_node, serving_nodecredential, telemetry_inference, telemetry_rollup"
            )
            connection.execute("INSERT INTO core_project VALUES (%s, 'acme')", [self.project_id])
            connection.execute(
                "INSERT INTO core_signingkey VALUES (%s, 'snapshot', %s)",
                [self.key_id, bytes(self.signing_key.verify_key)],
            )

    def environment_id(self, name: str) -> UUID:
        if name not in self.environments:
            self.environments[name] = uuid4()
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(
                    "INSERT INTO core_environment VALUES (%s, %s, %s)",
                    [self.environments[name], self.project_id, name],
                )
        return self.environments[name]

    def publish(
        self,
        *features: Document,
        environment: str = "production",
        keys: Document | None = None,
        base_url: str = "http://127.0.0.1:9/v1",
        endpoint: Mapping[str, Any] | None = None,
        epoch: int = 1,
        generation: int | None = None,
        signature: bytes | None = None,
        spoil: Mapping[str, bytes] | None = None,
        extra_root: Mapping[str, Any] | None = None,
        key_id: str | None = None,
        announce: bool = True,
    ) -> int:
        """Write and announce a root.

        Returns its generation. `spoil` replaces the bytes of named documents.
        """
        self.generation = generation if generation is not None else self.generation + 1
        node = {
            "format": 1,
            "keys": key_entry() if keys is None else keys,
            "endpoints": {
                ENDPOINT_ID: {
                    "revision": 1,
                    "base_url": base_url,
                    "protocol": "openai_http",
                    "allow_private": True,
                    "has_credential": False,
                    **(endpoint or {}),
                }
            },
            "hash_key_id": "1",
        }
        documents = {entry["feature"]: canonical_json(entry) for entry in features}
        node_bytes = canonical_json(node)
        root = canonical_json(
            {
                "format": 1,
                "project": "acme",
                "environment": environment,
                "epoch": epoch,
                "generation": self.generation,
                "written_at": "2026-03-02T09:00:00+00:00",
                "documents": {name: digest_bytes(body) for name, body in documents.items()},
                "node": digest_bytes(node_bytes),
                **(extra_root or {}),
            }
        )
        with psycopg.connect(self.url) as connection:
            for name, body in [*documents.items(), ("", node_bytes)]:
                connection.execute(
                    "INSERT INTO serving_document VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    [digest_bytes(body), "feature" if name else "node", (spoil or {}).get(name, body)],
                )
            connection.execute(
                "INSERT INTO serving_root (environment_id, project, environment, epoch, generation, body, signature,"
                " key_id) VALUES (%s, 'acme', %s, %s, %s, %s, %s, %s)",
                [
                    self.environment_id(environment),
                    environment,
                    epoch,
                    self.generation,
                    root,
                    signature or self.signing_key.sign(root).signature,
                    key_id or self.key_id,
                ],
            )
            if announce:
                connection.execute("SELECT pg_notify('promptstore_snapshot', %s)", [environment])
        return self.generation

    def seal_credential(self, node: str, secret: str) -> None:
        """What the control plane does once a node has registered."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT public_key FROM serving_node WHERE name = %s", [node]).fetchone()
            assert row is not None
            sealed = SealedBox(PublicKey(bytes(row[0]))).encrypt(secret.encode())
            connection.execute(
                "INSERT INTO serving_nodecredential (node, endpoint_id, revision, sealed) VALUES (%s, %s, 1, %s)"
                " ON CONFLICT (node, endpoint_id) DO UPDATE SET sealed = EXCLUDED.sealed",
                [node, ENDPOINT_ID, sealed],
            )
            connection.execute("SELECT pg_notify('promptstore_snapshot', '')")

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()
