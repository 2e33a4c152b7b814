"""Money from integer nano-dollars (10⁻⁹ USD)."""

from __future__ import annotations

from decimal import Decimal

from promptstore.console.formatting.numbers import DASH, MINUS, plain, significant_decimals

NANOS_PER_USD = 1_000_000_000


def money(nanos: int | None) -> str:
    """4_200_000 → `$0.0042`; cents from ten cents up, two significant digits below."""
    if nanos is None:
        return DASH
    usd = Decimal(int(nanos)) / NANOS_PER_USD
    places = significant_decimals(usd, digits=2, at_least=2) if abs(usd) < Decimal("0.1") else 2
    amount = plain(abs(usd), decimals=min(places, 9))
    if places > 2:
        whole, _, cents = amount.partition(".")
        amount = f"{whole}.{cents.rstrip('0').ljust(2, '0')}"
    return f"{MINUS if usd < 0 else ''}${amount}"
