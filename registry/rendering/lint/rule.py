"""What a lint rule is, and what it gets to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from registry.rendering.analysis import TemplateAnalysis, analyse_prompt
from registry.rendering.findings import Finding, Severity
from registry.rendering.positions import SourceMap, normalise_newlines
from registry.rendering.schemas import DeclaredVariable, declared_variables
from registry.rendering.spec import PromptSpec
from registry.rendering.tokens import DEFAULT_ENCODING
from registry.rendering.variables import VariableUse


@dataclass(frozen=True, slots=True)
class LintConfig:
    """A project's settings.

    `token_budget` bounds the fixed text of a prompt, counted in `encoding` (None: no bound).
    `banned_topics` are words or phrases that a prompt must not contain.
    """

    token_budget: int | None = None
    encoding: str = DEFAULT_ENCODING
    banned_topics: tuple[str, ...] = ()


class LintContext:
    """A prompt with what several rules need, each computed once."""

    def __init__(self, spec: PromptSpec, config: LintConfig) -> None:
        self.spec = spec
        self.config = config

    @cached_property
    def analyses(self) -> tuple[TemplateAnalysis, ...]:
        """One analysis per message."""
        return analyse_prompt(self.spec)

    @cached_property
    def declared(self) -> Mapping[str, DeclaredVariable]:
        """The variables of the input schema."""
        return declared_variables(self.spec.input_schema)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The templates with normalised line breaks, as positions count them."""
        return tuple(normalise_newlines(message.content) for message in self.spec.messages)

    @cached_property
    def _source_maps(self) -> tuple[SourceMap, ...]:
        return tuple(SourceMap(source) for source in self.sources)

    @property
    def parsed_completely(self) -> bool:
        """Whether the variables of every message are known."""
        return all(analysis.in_subset for analysis in self.analyses)

    def uses(self) -> Iterator[tuple[int, VariableUse]]:
        """Every variable use with the index of its message."""
        for index, analysis in enumerate(self.analyses):
            for use in analysis.variables:
                yield index, use

    def at_span(self, finding: Finding, message_index: int, start: int, end: int) -> Finding:
        """The finding, pointing at `sources[message_index][start:end]`."""
        line, column, end_column = self._source_maps[message_index].span(start, end)
        return replace(finding, message_index=message_index, line=line, column=column, end_column=end_column)

    @staticmethod
    def at_use(finding: Finding, message_index: int, use: VariableUse) -> Finding:
        """The finding, pointing at a variable use."""
        return replace(
            finding,
            message_index=message_index,
            line=use.line,
            column=use.column,
            end_column=use.end_column,
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its documentation. `check` yields findings whose `rule_id` is `id`."""

    id: str
    severity: Severity
    title: str
    explanation: str
    example: str
    fix: str
    check: Callable[[LintContext], Iterator[Finding]]
