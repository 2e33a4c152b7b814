"""What a call costs, in integer nano-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

NANOS_PER_DOLLAR: Final = 1_000_000_000
TOKENS_PER_PRICE: Final = 1_000_000
CALLS: Final = 1_000
MAX_TOKENS: Final = 1_000_000_000

EXPLICIT: Final = "explicit"


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Nano-dollars per million tokens: $2.50 is 2,500,000,000."""

    input_nanos_per_million: int
    output_nanos_per_million: int


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """Cost of a call and of a thousand such calls, each rounded half up on its own.

    `exact` is True when the price is explicit and the token counts are; `source` is `explicit` or names the
    price list and its version.
    """

    per_call_nanos: int
    per_1000_calls_nanos: int
    exact: bool
    source: str


def estimate_cost(
    *,
    input_tokens: int,
    output_tokens: int,
    tokens_exact: bool,
    price: ModelPrice | None = None,
    provider: str | None = None,
    model_id: str | None = None,
    at: datetime | None = None,
) -> CostEstimate | None:
    """Cost from the model version's own price, else from the public list; None when neither knows the model.

    `at` (aware) picks the list price of that day. Raises `ValueError` for a negative or absurd number of
    tokens.
    """
    for count in (input_tokens, output_tokens):
        if not 0 <= count <= MAX_TOKENS:
            raise ValueError(f"a call has 0 to {MAX_TOKENS:,} tokens, not {count}")
    if price is not None:
        nanos = Fraction(
            input_tokens * price.input_nanos_per_million + output_tokens * price.output_nanos_per_million,
            TOKENS_PER_PRICE,
        )
        return CostEstimate(_round(nanos), _round(nanos * CALLS), tokens_exact, EXPLICIT)
    if model_id is None:
        return None
    listed = _list_price(input_tokens, output_tokens, provider, model_id, at)
    if listed is None:
        return None
    nanos, source = listed
    return CostEstimate(_round(nanos), _round(nanos * CALLS), exact=False, source=source)


def _round(nanos: Fraction) -> int:
    """Half up, for amounts that are never negative."""
    return (2 * nanos.numerator + nanos.denominator) // (2 * nanos.denominator)


def _list_price(
    input_tokens: int, output_tokens: int, provider: str | None, model_id: str, at: datetime | None
) -> tuple[Fraction, str] | None:
    # Imported late: the list takes a moment to load, and most calls have an explicit price.
    import genai_prices

    usage = genai_prices.Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    try:
        found = genai_prices.calc_price(usage, model_id, provider_id=provider, genai_request_timestamp=at)
    except LookupError:
        return None
    dollars = Fraction(Decimal(found.total_price))
    return dollars * NANOS_PER_DOLLAR, f"genai-prices {genai_prices.__version__}"
