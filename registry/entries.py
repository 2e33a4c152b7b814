"""A model registry entry: what is recorded about a model that runs, column by column. Pure.

Rows R2 to R5: identity and checksum, weights, training data, tokenizer, runtime, evaluation metrics, the provider's promised
service level. Everything is written down once and never changes; names that can change their meaning are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from promptstore.core.errors import InvalidInput
from registry.errors import MutableName
from registry.shapes import DIGEST, check_shape, document, text, whole

MAX_PARAMETERS: Final = 10**15
MAX_PRICE: Final = 10**15  # nano-dollars per million tokens: a million dollars


class EntryKind(StrEnum):
    """Who runs the model."""

    HOSTED = "hosted"
    SELF_HOSTED = "self_hosted"


WEIGHTS: Final = document(
    {
        "format": text("the file format, such as gguf or safetensors", max_chars=40),
        "parameters": whole("the number of parameters", low=1, high=MAX_PARAMETERS),
        "dtype": text("the number type, such as bf16 or q4_k_m", max_chars=40),
        "shards": {
            "type": "array",
            "maxItems": 1_000,
            "items": document(
                {
                    "name": text("a file name"),
                    "checksum": DIGEST,
                    "bytes": whole("a size in bytes", low=0, high=2**52),
                },
                required=("name", "checksum"),
            ),
        },
        "licence": text("an SPDX identifier or the licence's name", max_chars=100),
    },
    required=("format", "parameters", "dtype", "licence"),
)
TRAINING: Final = document(
    {
        "commit": {
            "type": "string",
            "pattern": "^[0-9a-f]{7,64}$",
            "description": "a commit hash in lower-case hex",
        },
        "dataset_snapshot_digest": DIGEST,
        "build_number": text("the build's number in your CI, as text", max_chars=80),
    }
)
TOKENIZER: Final = document(
    {"name": text("the tokenizer's name"), "version": text("the tokenizer's version", max_chars=80)},
    required=("name", "version"),
)
RUNTIME: Final = document(
    {
        "image": text("the inference image with a tag or digest", max_chars=300),
        "cuda": text("the CUDA version, such as 12.4", max_chars=40),
        "quantization": text("the quantization, such as q4_k_m or awq", max_chars=80),
        "transforms": {
            "type": "array",
            "maxItems": 50,
            "items": text("what was done to the model, such as lora-merge"),
        },
    }
)
METRICS: Final[dict[str, Any]] = {
    "type": "object",
    "maxProperties": 200,
    "propertyNames": {"maxLength": 80, "minLength": 1},
    "additionalProperties": {"type": "number", "description": "a number"},
}
SERVICE_LEVEL: Final = document(
    {
        "latency_p95_ms": whole(
            "the promised 95th percentile of latency in milliseconds", low=1, high=3_600_000
        ),
        "availability_bp": whole(
            "the promised availability in basis points: 9990 is 99.9 %", low=0, high=10_000
        ),
    }
)
PRICE: Final = document(
    {
        "input_nanos_per_mtok": whole("nano-dollars per million input tokens", low=0, high=MAX_PRICE),
        "output_nanos_per_mtok": whole("nano-dollars per million output tokens", low=0, high=MAX_PRICE),
    },
    required=("input_nanos_per_mtok", "output_nanos_per_mtok"),
)
# What the serving plane sets itself is not a parameter of the model.
RESERVED_PARAMS: Final = frozenset({"model", "messages", "stream", "stream_options", "tools", "n", "user"})
PARAMS: Final[dict[str, Any]] = {
    "type": "object",
    "maxProperties": 50,
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,59}$"},
}

_COLUMNS: Final = {
    "weights": WEIGHTS,
    "training": TRAINING,
    "tokenizer": TOKENIZER,
    "runtime": RUNTIME,
    "metrics": METRICS,
    "service_level": SERVICE_LEVEL,
    "params": PARAMS,
}
_FLOATING: Final = re.compile(
    r"(?:^|[-_.:/@])(?:latest|stable|current|default|main|master|head|nightly)$", re.IGNORECASE
)
_CHECKSUM: Final = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One entry, checked. `endpoint` is the endpoint's name; `snapshot_at` is when a hosted model was pinned."""

    kind: EntryKind
    provider: str
    provider_model_id: str
    endpoint: str
    snapshot_at: datetime | None = None
    checksum: str = ""
    weights: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    runtime: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    service_level: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    price: Mapping[str, Any] | None = None
    context_tokens: int | None = None

    def body(self) -> dict[str, Any]:
        """What the digest covers, as plain JSON."""
        values = asdict(self)
        values["kind"] = self.kind.value
        values["snapshot_at"] = self.snapshot_at.isoformat() if self.snapshot_at else None
        return values


def read_entry(data: Mapping[str, Any]) -> ModelEntry:
    """Check an entry. Raises `InvalidInput` naming the field, `MutableName` for a name that is not pinned."""
    known = [item.name for item in fields(ModelEntry)]
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        raise InvalidInput(f"Unknown field. Known are: {', '.join(known)}.", field=unknown[0][:80])
    kind = _kind(data.get("kind"))
    for name, schema in _COLUMNS.items():
        if data.get(name) not in (None, {}):
            check_shape(data[name], schema, field=name)
    if data.get("price") is not None:
        check_shape(data["price"], PRICE, field="price")
    reserved = sorted(RESERVED_PARAMS & set(data.get("params") or {}))
    if reserved:
        raise InvalidInput("Promptstore sets this itself; leave it out.", field=f"params.{reserved[0]}")
    entry = ModelEntry(
        kind=kind,
        provider=_text(data, "provider", 60),
        provider_model_id=_text(data, "provider_model_id", 200),
        endpoint=_text(data, "endpoint", 80),
        snapshot_at=_moment(data.get("snapshot_at")),
        checksum=str(data.get("checksum") or ""),
        price=data.get("price"),
        context_tokens=_context(data.get("context_tokens")),
        **{name: dict(data.get(name) or {}) for name in _COLUMNS},
    )
    _check_pinned(entry)
    return entry


def _check_pinned(entry: ModelEntry) -> None:
    if entry.checksum and not _CHECKSUM.fullmatch(entry.checksum):
        raise InvalidInput("Use sha256: and 64 lower-case hex digits.", field="checksum")
    if _FLOATING.search(entry.provider_model_id):
        raise MutableName(
            f"“{entry.provider_model_id}” is an alias: the provider can point it elsewhere at any time. "
            "Pin the exact model, for example the id that carries a date.",
            field="provider_model_id",
        )
    if entry.kind is EntryKind.HOSTED:
        if entry.snapshot_at is None:
            raise InvalidInput(
                "Say when the provider's model was looked at.", field="snapshot_at", code="required"
            )
        return
    if not entry.checksum:
        raise InvalidInput(
            "A self-hosted model needs the checksum of its weights, so that the artifact can be verified.",
            field="checksum",
            code="required",
        )
    if not entry.weights:
        raise InvalidInput(
            "Describe the weights: format, parameters, dtype, licence.", field="weights", code="required"
        )
    if not entry.tokenizer:
        raise InvalidInput("Name the tokenizer and its version.", field="tokenizer", code="required")
    image = str(entry.runtime.get("image", ""))
    if image and (_FLOATING.search(image) or not re.search(r"[:@][^/]+$", image)):
        raise MutableName(
            f"“{image}” can change under its name. Pin a version tag or, better, a digest.",
            field="runtime.image",
        )


def _kind(value: object) -> EntryKind:
    if not isinstance(value, str) or value not in frozenset(EntryKind):
        raise InvalidInput(f"Use one of: {', '.join(EntryKind)}.", field="kind")
    return EntryKind(value)


def _text(data: Mapping[str, Any], name: str, max_chars: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput("This is missing.", field=name, code="required")
    check_shape(
        value,
        {"type": "string", "maxLength": max_chars, "description": f"at most {max_chars} characters"},
        field=name,
    )
    return value.strip()


def _moment(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInput("Use a time like 2026-03-02T09:00:00Z.", field="snapshot_at") from error
    if moment.tzinfo is None:
        raise InvalidInput("Add the time zone, for example a final Z for UTC.", field="snapshot_at")
    return moment.astimezone(UTC)  # as the database gives it back, so that the digest verifies


def _context(value: object) -> int | None:
    if value is None:
        return None
    check_shape(
        value,
        whole("the size of the context window in tokens", low=1, high=100_000_000),
        field="context_tokens",
    )
    assert isinstance(value, int)
    return value
