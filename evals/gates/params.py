"""Reading the parameters that a policy gives a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Param:
    """A number with its bounds; `whole` refuses fractions, a default of `None` means: not used unless given."""

    name: str
    default: float | None
    low: float
    high: float
    whole: bool = True


def read(
    given: Mapping[str, Any], known: tuple[Param, ...], *, texts: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Every known parameter with its value. Raises `InvalidInput` for an unknown name or a value out of bounds.

    `texts` are parameters that the gate reads itself.
    """
    names = [*texts, *(param.name for param in known)]
    unknown = sorted(set(given) - set(names))
    if unknown:
        choices = f"Known are: {', '.join(names)}." if names else "This gate takes none."
        raise InvalidInput(f"Unknown parameter. {choices}", field=f"params.{unknown[0][:80]}")
    return {param.name: _value(given.get(param.name), param) for param in known}


def _value(value: Any, param: Param) -> float | int | None:
    if value is None:
        return param.default
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (param.whole and not isinstance(value, int)) or not param.low <= value <= param.high:
        kind = "whole number" if param.whole else "number"
        raise InvalidInput(
            f"Use a {kind} from {param.low:g} to {param.high:g}.", field=f"params.{param.name}"
        )
    return int(value) if param.whole else float(value)
