"""What a scorer is: what it is given, what it gives back, and how its parameters are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, Self

from promptstore.core.errors import InvalidInput
from providers import ChatResult
from registry.shapes import check_shape


class Unit(StrEnum):
    """Of a scorer's value."""

    SHARE = "share"
    MS = "ms"


class Case(Protocol):
    """One question with its right answer, as a scorer sees it.

    `expected` is the right answer as JSON, or None where only others can tell; `context` holds the passages that an answer must be
    grounded in.
    """

    @property
    def variables(self) -> Mapping[str, Any]: ...

    @property
    def expected(self) -> Any: ...

    @property
    def context(self) -> Sequence[str]: ...

    @property
    def tags(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one trial. `cost_nanos` is None where the model has no known price."""

    text: str
    latency_ms: int | None = None
    cost_nanos: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    provider_model: str = ""

    @classmethod
    def of(cls, result: ChatResult, *, cost_nanos: int | None = None) -> Self:
        """The answer in a provider's result."""
        usage = result.usage
        return cls(
            text=result.text,
            latency_ms=result.latency_ms,
            cost_nanos=cost_nanos,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            provider_model=result.provider_model,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer says of one answer.

    `value` is in the scorer's unit, or None where it has nothing to say of this case. `passed` is None where no limit was set.
    `reason` is a sentence for people, `evidence` JSON that shows how the value came about; both may quote the answer.
    """

    value: float | None
    passed: bool | None = None
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def verdict(cls, passed: bool, reason: str, evidence: Mapping[str, Any] | None = None) -> Self:
        """Of a scorer that knows only right and wrong: 1 or 0."""
        return cls(1.0 if passed else 0.0, passed, reason, evidence or {})

    @classmethod
    def not_applicable(cls, reason: str) -> Self:
        """The case lacks what this scorer looks at. That is neither a pass nor a fail."""
        return cls(None, None, reason)


@dataclass(frozen=True, slots=True)
class Pooled:
    """One number over a whole set of answers that is not the mean of theirs, and how it was computed."""

    name: str
    value: float
    signature: str


Params = Mapping[str, Any]
_ROOT: Final = "params"


@dataclass(frozen=True, slots=True)
class Scorer:
    """One measure by the name that suites use.

    `measures` says what it sees and `blind_to` what it cannot see, both for people. Values lie from `low` to `high` (None: no upper
    end). `binary` ones give 0 or 1 and always pass or fail; of others `decides` tells whether parameters set a limit to pass.
    `schema` describes the parameters, with their defaults; `check` finds what a schema cannot say and raises `InvalidInput`.
    `pool` makes one number of the evidence of many answers.
    """

    name: str
    title: str
    measures: str
    blind_to: str
    schema: Mapping[str, Any]
    score: Callable[[Case, Answer, Params], Score]
    unit: Unit = Unit.SHARE
    low: float = 0.0
    high: float | None = 1.0
    higher_is_better: bool = True
    binary: bool = False
    limits: tuple[str, ...] = ("pass_from",)
    check: Callable[[Params, str], None] | None = None
    pool: Callable[[Iterable[Mapping[str, Any]], Params], Pooled | None] | None = None

    def read_params(self, given: object, *, field: str = "params") -> dict[str, Any]:
        """Every parameter with its value. Raises `InvalidInput` naming the one at fault, such as `params.pass_from`."""
        try:
            check_shape(given, self.schema, field=_ROOT)
        except InvalidInput as refused:
            raise _moved(refused, field) from refused
        assert isinstance(given, Mapping)
        properties: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        read = {name: given.get(name, known.get("default")) for name, known in properties.items()}
        if self.check is not None:
            self.check(read, field)
        return read

    def decides(self, params: Params) -> bool:
        """Whether its scores pass or fail, with these parameters."""
        return self.binary or any(
            params.get(name) is not None and params[name] is not False for name in self.limits
        )


def _moved(refused: InvalidInput, field: str) -> InvalidInput:
    """The same refusal of parameters that stand at `field`, which may be a place deep inside a suite."""

    def move(text: str) -> str:
        return field + text[len(_ROOT) :] if text.startswith(_ROOT) else text

    return InvalidInput(
        move(refused.detail),
        code=refused.code,
        field=move(refused.field or _ROOT),
        errors=[{**error, "field": move(error["field"])} for error in refused.errors],
    )
