"""From a rule's text to its tree, with errors at the column they are at."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args
from lark.exceptions import VisitError

from releases.rules.errors import RuleSyntaxError
from releases.rules.nodes import And, MarginMode, Operator, Or, Rule, Threshold, WorseThanBaseline
from releases.rules.quantities import QuantityError, read_limit, read_margin, read_window_s
from telemetry.metrics.base import Direction, Metric, Unit
from telemetry.metrics.catalogue import CATALOGUE, closest_name

MAX_RULE_LENGTH = 2_000

T = TypeVar("T")

# What the parser expected, in the order and in the words of a person.
_WORDS = {
    "METRIC": "a metric name",
    "OPERATOR": "a comparison (> >= < <=)",
    "WORSE": "“worse than baseline by”",
    "THAN": "“than”",
    "BASELINE": "“baseline”",
    "BY": "“by”",
    "QUANTITY": "a number with its unit",
    "MODE": "“absolute” or “relative”",
    "FOR": "“for”",
    "AND": "“and”",
    "OR": "“or”",
    "LPAR": "“(”",
    "RPAR": "“)”",
    "$END": "the end of the rule",
}


@lru_cache(maxsize=1024)  # a controller reads the same few rules at every tick, and trees are immutable
def parse(text: str) -> Rule:
    """The tree of a rule. Raises `RuleSyntaxError` with line, column and what would have been right."""
    if len(text) > MAX_RULE_LENGTH:
        raise RuleSyntaxError(
            "the rule is too long", 1, MAX_RULE_LENGTH + 1, f"use at most {MAX_RULE_LENGTH} characters"
        )
    try:
        tree = _parser().parse(text)
        rule: Rule = _Builder().transform(tree)
    except UnexpectedToken as error:
        raise _unexpected_token(text, error) from None
    except UnexpectedCharacters as error:
        raise RuleSyntaxError(
            f"unexpected character {error.char!r}",
            error.line,
            error.column,
            _expected(_accepts_after(text, error)),
        ) from None
    except VisitError as error:
        raise error.orig_exc from None
    return rule


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    # The basic lexer keeps keywords reserved everywhere, which makes its errors the ones a person would give.
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)


@v_args(inline=True)
class _Builder(Transformer[Token, Rule]):
    """Builds the nodes bottom-up and checks what the grammar cannot: names, units, modes."""

    def disjunction(self, *parts: Rule) -> Rule:
        return Or(parts)

    def conjunction(self, *parts: Rule) -> Rule:
        return And(parts)

    def comparison(self, name: Token, operator: Token, quantity: Token, window: Token | None) -> Rule:
        metric = _metric(name)
        return Threshold(
            metric=metric.name,
            operator=Operator(operator.value),
            limit=_quantity(quantity, lambda text: read_limit(text, metric)),
            window_s=_window(window),
        )

    def regression(self, name: Token, quantity: Token, mode: Token | None, window: Token | None) -> Rule:
        metric = _metric(name)
        margin, points = _quantity(quantity, read_margin)
        chosen = MarginMode(mode.value.lower()) if mode is not None else MarginMode.RELATIVE
        if points:
            if mode is not None and chosen is MarginMode.RELATIVE:
                raise _at(
                    mode, "percentage points are absolute", "leave “relative” out, or write % instead of pp"
                )
            chosen = MarginMode.ABSOLUTE
        _check_margin(metric, margin, chosen, at=quantity)
        return WorseThanBaseline(metric=metric.name, margin=margin, mode=chosen, window_s=_window(window))


def _metric(name: Token) -> Metric:
    metric = CATALOGUE.get(name.value)
    if metric is None:
        near = closest_name(name.value)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(sorted(CATALOGUE))}"
        raise _at(name, f"unknown metric “{name.value}”", hint)
    return metric


def _check_margin(metric: Metric, margin: Decimal, mode: MarginMode, *, at: Token) -> None:
    if mode is MarginMode.ABSOLUTE and metric.unit is not Unit.RATIO:
        raise _at(at, f"{metric.name} has no percentage points", "write a relative margin such as 10%")
    # A share can move by at most 100 points, and what should be high cannot lose more than all of itself.
    bounded = mode is MarginMode.ABSOLUTE or metric.direction is Direction.HIGHER_IS_BETTER
    if bounded and margin >= 1:
        raise _at(at, f"{metric.name} can never be that much worse", "use less than 100%")


def _window(quantity: Token | None) -> int | None:
    return None if quantity is None else _quantity(quantity, read_window_s)


def _quantity(token: Token, read: Callable[[str], T]) -> T:
    try:
        return read(token.value)
    except QuantityError as error:
        raise _at(token, str(error), error.hint, offset=error.offset) from None


def _at(token: Token, message: str, hint: str, *, offset: int = 0) -> RuleSyntaxError:
    return RuleSyntaxError(message, token.line or 1, (token.column or 1) + offset, hint)


def _unexpected_token(text: str, error: UnexpectedToken) -> RuleSyntaxError:
    hint = _expected(error.accepts)
    if error.token.type == "$END":
        before = text.rstrip()
        line = before.count("\n") + 1
        return RuleSyntaxError(
            "the rule ends too early", line, len(before) - (before.rfind("\n") + 1) + 1, hint
        )
    if error.token.type == "FOR" and "FOR" not in error.accepts:
        hint += "; “for” belongs to one condition, write it inside the parentheses"
    return RuleSyntaxError(f"unexpected “{error.token.value}”", error.line, error.column, hint)


def _accepts_after(text: str, error: UnexpectedCharacters) -> set[str]:
    """What the grammar accepts at a character that no word begins with."""
    reader = _parser().parse_interactive(text[: error.pos_in_stream])
    reader.exhaust_lexer()
    return set(reader.accepts())  # type: ignore[no-untyped-call]


def _expected(names: set[str]) -> str:
    return "expected " + " or ".join(word for name, word in _WORDS.items() if name in names)
