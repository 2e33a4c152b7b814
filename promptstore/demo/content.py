"""What the demo project holds: an assistant that suggests configuration entries.

Its policies carry minutes where real ones carry days, so that a rollout can be watched over a coffee.
"""

from __future__ import annotations

from typing import Any

FEATURE = "config-assistant"
PROMPT = "config-assistant"
CONFIG = "config-assistant"
MODEL = "smollm2"
ENDPOINT = "local-model"

OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "key": {
            "type": "string",
            "enum": ["request_timeout_s", "log_level", "worker_count", "cache_ttl_s", "allowed_cidr"],
        },
        "value": {"type": "string", "maxLength": 24},
    },
    "required": ["key", "value"],
    "additionalProperties": False,
}

PROMPT_BODY: dict[str, Any] = {
    "messages": [
        {
            "role": "system",
            "content": "You suggest one configuration entry. Answer with its key and value as JSON.",
        },
        {"role": "user", "content": "Requests to billing time out, allow 30 seconds."},
        {"role": "assistant", "content": '{"key": "request_timeout_s", "value": "30"}'},
        {"role": "user", "content": "The checkout service logs too much."},
        {"role": "assistant", "content": '{"key": "log_level", "value": "warning"}'},
        {"role": "user", "content": "Cache pages for ten minutes."},
        {"role": "assistant", "content": '{"key": "cache_ttl_s", "value": "600"}'},
        {"role": "user", "content": "Let the office network in."},
        {"role": "assistant", "content": '{"key": "allowed_cidr", "value": "10.20.0.0/16"}'},
        {"role": "user", "content": "{{ request }}"},
    ],
    "input_schema": {
        "type": "object",
        "properties": {
            "request": {
                "type": "string",
                "maxLength": 400,
                "description": "What the person asks for, in their words.",
            }
        },
        "required": ["request"],
        "additionalProperties": False,
    },
    "output_schema": OUTPUT_SCHEMA,
    "tools": [],
    "params": {"temperature": 0, "max_tokens": 48, "response_format": "json_schema"},
}

EXAMPLE_INPUTS: list[dict[str, Any]] = [
    {"name": "workers", "variables": {"request": "Use eight worker processes."}},
    {"name": "logs", "variables": {"request": "Reduce log noise in the catalogue service."}},
    {"name": "cache", "variables": {"request": "Keep product pages in the cache for five minutes."}},
]

CONFIG_BODY: dict[str, Any] = {
    "on_withdraw": "safe_mode",
    "limits": {"max_output_tokens": 64, "timeout_ms": 60_000, "rate_per_s": 500, "max_input_bytes": 65_536},
    "safe_mode": {
        "kind": "template",
        "template": "Suggestions are paused for a moment. Please choose the entry yourself, or ask the platform team.",
    },
    "policy": {
        "mode": "buffer",
        "banned": [
            {"id": "open-network", "pattern": "/[./]0/0/"},
            {"id": "no-authentication", "pattern": "disable authentication"},
        ],
        "message": "This suggestion was withheld because it breaks a safety rule.",
    },
    "capture": {"share_bp": 500},
}

MODEL_ENTRY: dict[str, Any] = {
    "kind": "self_hosted",
    "provider": "local",
    "provider_model_id": "smollm2-135m-instruct",
    "endpoint": ENDPOINT,
    "checksum": "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    "weights": {"format": "gguf", "parameters": 134_515_008, "dtype": "q4_1", "licence": "Apache-2.0"},
    "tokenizer": {"name": "smollm2", "version": "1"},
    "runtime": {"image": "xllamacpp:2026.10.11549", "quantization": "q4_1"},
    "service_level": {"latency_p95_ms": 20_000, "availability_bp": 9_900},
    "price": {"input_nanos_per_mtok": 20_000_000, "output_nanos_per_mtok": 80_000_000},
    "context_tokens": 2_048,
}

STAGING_POLICY: dict[str, Any] = {
    "gates": ["static", "smoke"],
    "gate_params": {"smoke": {"min_valid_share": 0.8}},
    "quorum": 0,
    "plan": None,
    "note": "Staging takes a release whole once its gates have passed.",
}

PRODUCTION_POLICY: dict[str, Any] = {
    "gates": ["static", "smoke"],
    "gate_params": {"smoke": {"min_valid_share": 0.8}},
    "quorum": 1,
    "approver_roles": ["approver", "owner"],
    "requires_live_in": "staging",
    "plan": {
        "steps": [
            {"kind": "shadow", "min_duration_s": 60, "min_samples": 5, "pairs_bp": 5_000},
            {"weight_bp": 200, "min_duration_s": 120, "min_samples": 5},
            {"weight_bp": 1_000, "min_duration_s": 120, "min_samples": 10},
            {"weight_bp": 5_000, "min_duration_s": 120, "min_samples": 20},
            {"weight_bp": 10_000, "min_duration_s": 120, "min_samples": 20},
        ]
    },
    "rules": [
        {
            "id": "policy-hits",
            "when": "policy_filter_rate > 10% for 2m",
            "severity": "P1",
            "action": "step",
            "min_samples": 5,
        },
        {
            "id": "correctness",
            "when": "domain_accuracy < 80% for 2m",
            "severity": "P1",
            "action": "step",
            "min_samples": 5,
        },
        {
            "id": "errors",
            "when": "error_rate > 30% for 1m",
            "severity": "P1",
            "action": "cut",
            "min_samples": 5,
        },
        {
            "id": "latency",
            "when": "p95_latency_ms > 30s for 2m",
            "severity": "P2",
            "action": "step",
            "min_samples": 5,
        },
        {
            "id": "cost",
            "when": "cost_per_1k_requests_usd worse than baseline by 50% for 2m",
            "severity": "P3",
            "action": "hold",
            "min_samples": 5,
        },
    ],
    "rollback_interval_s": 30,
    "expires_after_h": 72,
    "note": "A demonstration: minutes and a handful of samples where real policies carry days and hundreds.",
}
