"""The shape of a suite, as JSON Schema with a sentence for each member."""

from __future__ import annotations

from typing import Any, Final

from registry.shapes import document, text, whole

MAX_STAGES: Final = 10
MAX_SCORERS: Final = 20
MAX_TRIALS: Final = 10
MAX_CASES: Final = 5_000
NANOS_PER_USD: Final = 1_000_000_000

_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1, "description": "a share from 0 to 1"}
_LIMIT: Final = {
    "type": "number",
    "minimum": 0,
    "maximum": 600_000,
    "description": "a number from 0 to 600000",
}

_SCORER: Final = document(
    {
        "scorer": text("the name of a scorer", max_chars=80),
        "id": text("a short name, unique in the stage", max_chars=80),
        "params": {"type": "object", "description": "a JSON object of parameters"},
        "reducer": {
            "enum": ["mean", "all", "any", "majority"],
            "description": "one of mean, all, any, majority",
        },
        "weight": {
            "type": "number",
            "minimum": 0,
            "maximum": 1_000,
            "description": "a number from 0 to 1000",
        },
        "min": _LIMIT,
        "max": _LIMIT,
        "max_drop": _LIMIT,
        "least_cases": whole("a whole number of cases from 1 to 5000", low=1, high=MAX_CASES),
    },
    required=("scorer",),
)

_STAGE: Final = document(
    {
        "name": text("a short name, unique in the suite", max_chars=80),
        "kind": {
            "enum": ["static", "functional", "quality"],
            "description": "one of static, functional, quality",
        },
        "dataset": text("a dataset's version such as support-faq@1.2.0", max_chars=160),
        "trials": whole(f"a whole number from 1 to {MAX_TRIALS}", low=1, high=MAX_TRIALS),
        "sample": document(
            {
                "max_cases": whole(f"a whole number of cases from 1 to {MAX_CASES}", low=1, high=MAX_CASES),
                "seed": whole("a whole number from 0 to 4294967295", low=0, high=2**32 - 1),
            },
            required=("max_cases",),
        ),
        "scorers": {
            "type": "array",
            "maxItems": MAX_SCORERS,
            "items": _SCORER,
            "description": f"a list of at most {MAX_SCORERS} scorers",
        },
        "max_error_share": _SHARE,
    },
    required=("kind",),
)

SUITE: Final[dict[str, Any]] = document(
    {
        "name": text("a name", max_chars=80),
        "stages": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_STAGES,
            "items": _STAGE,
            "description": f"a list of 1 to {MAX_STAGES} stages",
        },
        "budget": document(
            {
                "max_cases": whole("a whole number of cases from 1 to 50000", low=1, high=50_000),
                "max_cost_nanos": whole(
                    "a whole number of nano-dollars, from a cent to 10000 dollars",
                    low=NANOS_PER_USD // 100,
                    high=10_000 * NANOS_PER_USD,
                ),
                "max_seconds": whole("a whole number of seconds from 1 to 86400", low=1, high=86_400),
            }
        ),
    },
    required=("name", "stages"),
)
