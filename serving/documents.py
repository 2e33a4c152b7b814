"""Feature and node documents, parsed once per digest and shared by all generations that name it.

What costs time (compiling templates and filters, serialising answers) happens on first use and is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from registry.policy import Policy, PolicyError
from registry.rendering import schemas
from registry.rendering.quick_schema import PreparedSchema
from registry.rendering.render import CompiledPrompt, compile_prompt
from registry.rendering.spec import Message, PromptSpec, Role
from releases.routing import TOTAL_BP, OnWithdraw, Routing
from serving.verify import RefusalReason, RefusedError, check_format

PROMPT_KEYS = ("messages", "input_schema", "output_schema", "tools", "params")


@dataclass(frozen=True)
class Prompt:
    """A published prompt version."""

    name: str
    version: str
    digest: str
    raw: Mapping[str, Any]

    @cached_property
    def spec(self) -> PromptSpec:
        return PromptSpec.from_dict(
            {key: self.raw[key] for key in PROMPT_KEYS if self.raw.get(key) is not None}
        )

    @cached_property
    def compiled(self) -> CompiledPrompt:
        return compile_prompt(self.spec)

    @cached_property
    def input_check(self) -> PreparedSchema:
        return PreparedSchema.of(self.raw.get("input_schema") or {"type": "object", "properties": {}})

    @cached_property
    def declared_variables(self) -> frozenset[str] | None:
        """The names that the input schema knows; None when it takes further ones."""
        schema = self.input_check.schema
        root = schemas.resolve(schema, schema)
        if root.get("additionalProperties", False) is not False or "patternProperties" in root:
            return None
        return frozenset(schemas.declared_variables(schema))

    @cached_property
    def output_check(self) -> PreparedSchema | None:
        """None when any text will do."""
        schema = self.raw.get("output_schema")
        return None if schema is None else PreparedSchema.of(schema)

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Model:
    """A model entry in one role. `price` is in nano-dollars per million tokens, None when nobody charges."""

    role: str
    name: str
    version: str
    digest: str
    provider: str
    protocol: str
    model_id: str
    params: Mapping[str, Any]
    endpoint: str
    input_nanos_per_mtok: int
    output_nanos_per_mtok: int

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    def cost_usd_nanos(self, input_tokens: int, output_tokens: int) -> int:
        """Nano-dollars of one call, rounded half up."""
        total = input_tokens * self.input_nanos_per_mtok + output_tokens * self.output_nanos_per_mtok
        return (total + 500_000) // 1_000_000


@dataclass(frozen=True)
class Config:
    """A serving config version."""

    name: str
    version: str
    digest: str
    body: Mapping[str, Any]

    def limit(self, name: str, default: int) -> int:
        """A limit of the config; absent and null mean `default`."""
        value = (self.body.get("limits") or {}).get(name)
        return default if value is None else int(value)

    @cached_property
    def policy(self) -> Policy:
        """Raises `PolicyError` when the config holds a pattern that this node cannot evaluate."""
        return Policy.parse(self.body.get("policy") or {})

    @cached_property
    def safe_template(self) -> CompiledPrompt | None:
        template = (self.body.get("safe_mode") or {}).get("template")
        if not template:
            return None
        return compile_prompt(PromptSpec(messages=(Message(Role.ASSISTANT, str(template)),)))


@dataclass(frozen=True)
class Release:
    """An immutable release with all it pins."""

    version: str
    digest: str
    primary: str
    prompts: Mapping[str, Prompt]
    models: Mapping[str, Model]
    config: Config
    raw: Mapping[str, Any]

    @property
    def prompt(self) -> Prompt:
        return self.prompts[self.primary]


@dataclass(frozen=True)
class Rollout:
    """The live rollout, or one whose withdrawn units still wait for their incident to be mitigated.

    `shadow_bp` is the share of stable's calls that the candidate gets a copy of, `pairs_bp` the share of which both answers are
    kept, in basis points.
    """

    id: str
    state: str
    candidate: Release
    shadow_bp: int = 0
    pairs_bp: int = 0


@dataclass(frozen=True)
class FeatureDocument:
    """What one environment serves for one feature."""

    feature: str
    stable: Release | None
    rollout: Rollout | None
    routing: Routing
    body: bytes

    @property
    def candidate(self) -> Release | None:
        return self.rollout.candidate if self.rollout else None

    @property
    def releases(self) -> tuple[Release, ...]:
        return tuple(release for release in (self.stable, self.candidate) if release is not None)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as a node knows it: by its hash."""

    id: str
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a model, at one revision."""

    id: str
    revision: int
    base_url: str
    protocol: str
    allow_private: bool
    has_credential: bool


@dataclass(frozen=True, slots=True)
class NodeDocument:
    """An environment's keys (by SHA-256, 32 bytes) and endpoints (by id)."""

    keys: Mapping[bytes, Key]
    endpoints: Mapping[str, Endpoint]
    hash_key_id: str


def parse_feature(body: bytes) -> FeatureDocument:
    """Raises `RefusedError` when the document is not one, or holds what only a later version understands.

    A policy or prompt that is wrong in itself is no reason: it fails where it is used, and counts against its arm.
    """
    try:
        raw = _document(body)
        releases = {digest: _release(entry) for digest, entry in raw["releases"].items()}
        stable = releases[raw["stable"]] if raw["stable"] else None
        spec = raw["rollout"]
        rollout = _rollout(spec, releases) if spec else None
        return FeatureDocument(
            feature=raw["feature"],
            stable=stable,
            rollout=rollout,
            routing=_routing(spec or {}, stable, rollout),
            body=body,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(RefusalReason.MALFORMED, f"a feature document is malformed: {error!r}") from error


def _rollout(spec: Mapping[str, Any], releases: Mapping[str, Release]) -> Rollout:
    shares = {name: int(spec.get(name, 0)) for name in ("shadow_bp", "pairs_bp")}
    if any(not 0 <= share <= TOTAL_BP for share in shares.values()):
        raise ValueError(f"shares lie between 0 and {TOTAL_BP}")
    return Rollout(spec["id"], spec["state"], releases[spec["candidate"]], **shares)


def parse_node(body: bytes) -> NodeDocument:
    """Raises `RefusedError` when the document is not one."""
    try:
        raw = _document(body)
        return NodeDocument(
            keys={bytes.fromhex(digest): _key(entry) for digest, entry in raw["keys"].items()},
            endpoints={name: _endpoint(name, entry) for name, entry in raw["endpoints"].items()},
            hash_key_id=str(raw.get("hash_key_id") or "1"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(RefusalReason.MALFORMED, f"a node document is malformed: {error!r}") from error


def _document(body: bytes) -> Mapping[str, Any]:
    raw: Mapping[str, Any] = orjson.loads(body)
    check_format(raw["format"], of="document")
    return raw


def _routing(spec: Mapping[str, Any], stable: Release | None, rollout: Rollout | None) -> Routing:
    on_withdraw = spec.get("on_withdraw", OnWithdraw.STABLE)
    if on_withdraw not in frozenset(OnWithdraw):
        raise RefusedError(RefusalReason.UNKNOWN_VALUE, f"on_withdraw {on_withdraw!r}")
    return Routing(
        salt=spec.get("salt", ""),
        candidate_bp=int(spec.get("candidate_bp", 0)),
        withdrawn_bp=int(spec.get("withdrawn_bp", 0)),
        on_withdraw=OnWithdraw(on_withdraw),
        candidate=rollout.candidate.digest if rollout else None,
        stable=stable.digest if stable else None,
    )


def _release(raw: Mapping[str, Any]) -> Release:
    prompts = {
        name: Prompt(entry["name"], entry["version"], entry["digest"], entry)
        for name, entry in raw["prompts"].items()
    }
    config = Config(
        raw["config"]["name"], raw["config"]["version"], raw["config"]["digest"], raw["config"]["body"]
    )
    _check_policy_mode(config)
    if raw["primary"] not in prompts:
        raise KeyError(f"primary prompt {raw['primary']!r}")
    return Release(
        version=raw["version"],
        digest=raw["digest"],
        primary=raw["primary"],
        prompts=prompts,
        models={role: _model(role, entry) for role, entry in raw["models"].items()},
        config=config,
        raw=raw,
    )


def _check_policy_mode(config: Config) -> None:
    """How a filter works must be known before the first call: an unknown mode cannot be taken for a known one."""
    try:
        _ = config.policy
    except PolicyError as error:
        if error.field == "mode":
            mode = config.body["policy"]["mode"]
            raise RefusedError(
                RefusalReason.UNKNOWN_VALUE, f"policy mode {mode!r} of {config.name}@{config.version}"
            ) from error


def _model(role: str, raw: Mapping[str, Any]) -> Model:
    price = raw.get("price") or {}
    return Model(
        role=role,
        name=raw["name"],
        version=raw["version"],
        digest=raw["digest"],
        provider=raw["provider"],
        protocol=raw["protocol"],
        model_id=raw["model_id"],
        params=raw.get("params") or {},
        endpoint=raw["endpoint"],
        input_nanos_per_mtok=int(price.get("input_nanos_per_mtok") or 0),
        output_nanos_per_mtok=int(price.get("output_nanos_per_mtok") or 0),
    )


def _key(raw: Mapping[str, Any]) -> Key:
    expires_at = raw.get("expires_at")
    return Key(
        id=str(raw["id"]),
        name=str(raw["name"]),
        scopes=frozenset(raw["scopes"]),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
    )


def _endpoint(name: str, raw: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        id=name,
        revision=int(raw["revision"]),
        base_url=str(raw["base_url"]),
        protocol=str(raw["protocol"]),
        allow_private=bool(raw["allow_private"]),
        has_credential=bool(raw["has_credential"]),
    )
