"""What a template uses, and whether it stays inside the published subset of the language.

`analyse_template` parses and walks the tree against an allowlist: what is not named in
`registry.rendering.language` is refused, so a new Jinja feature is refused until somebody allows it.
Nothing is compiled here, because Jinja folds constants while compiling: `{{ "a" * 500000000 }}` costs
seconds and gigabytes without ever being rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jinja2 import nodes

from registry.rendering import limits
from registry.rendering.findings import Finding, Severity
from registry.rendering.parsing import TOO_COMPLEX, ParsedTemplate, parse_template
from registry.rendering.spec import PromptSpec
from registry.rendering.subset import SubsetWalker
from registry.rendering.variables import VariableUse


@dataclass(frozen=True, slots=True)
class TemplateAnalysis:
    """The variables a template reads and everything that keeps it from being published, in order of
    position."""

    variables: tuple[VariableUse, ...]
    findings: tuple[Finding, ...]
    token_count: int

    @property
    def in_subset(self) -> bool:
        """Whether the template may be compiled and rendered in process."""
        return not self.findings


def analyse_template(source: str, *, token_budget: int = limits.MAX_TEMPLATE_TOKENS) -> TemplateAnalysis:
    """Analyse one template. Never raises, whatever the text; takes well under a second for any input."""
    return check_template(source, token_budget=token_budget)[0]


def analyse_prompt(spec: PromptSpec) -> tuple[TemplateAnalysis, ...]:
    """Analyse every message of a prompt; findings carry their `message_index`. The token limit spans the
    prompt."""
    return tuple(analysis for analysis, _parsed in check_messages(spec))


def check_messages(spec: PromptSpec) -> list[tuple[TemplateAnalysis, ParsedTemplate]]:
    """As `analyse_prompt`, with the syntax trees."""
    budget = limits.MAX_TEMPLATE_TOKENS
    results = []
    for index, message in enumerate(spec.messages):
        analysis, parsed = check_template(message.content, token_budget=budget)
        budget = max(budget - analysis.token_count, 0)
        findings = tuple(replace(finding, message_index=index) for finding in analysis.findings)
        results.append((replace(analysis, findings=findings), parsed))
    return results


def check_template(
    source: str, *, token_budget: int = limits.MAX_TEMPLATE_TOKENS
) -> tuple[TemplateAnalysis, ParsedTemplate]:
    """Analyse one template and keep the syntax tree; compile that tree only if `in_subset`."""
    parsed = parse_template(source, token_budget=token_budget)
    if parsed.tree is None:
        assert parsed.finding is not None, "no tree means a finding says why"
        return TemplateAnalysis((), (parsed.finding,), parsed.token_count), parsed
    if (deepest := _too_deep(parsed.tree)) is not None:
        line, column, end_column = parsed.source_map.span(deepest, parsed.ends.get(deepest, deepest + 1))
        finding = Finding(
            TOO_COMPLEX,
            Severity.ERROR,
            f"The expression is nested deeper than {limits.MAX_AST_DEPTH} levels.",
            "Split it, or pass the result as a variable.",
            line=line,
            column=column,
            end_column=end_column,
        )
        return TemplateAnalysis((), (finding,), parsed.token_count), parsed
    walker = SubsetWalker(parsed)
    walker.walk(parsed.tree)
    findings = tuple(sorted(walker.findings, key=lambda finding: finding.position)[: limits.MAX_FINDINGS])
    variables = tuple(sorted(walker.variables, key=lambda use: (use.line, use.column)))
    return TemplateAnalysis(variables, findings, parsed.token_count), parsed


def _too_deep(tree: nodes.Template) -> int | None:
    """Offset of a node below the depth limit; iterative, because this is what makes recursion safe later."""
    pending: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > limits.MAX_AST_DEPTH:
            return node.lineno or 0
        pending.extend((child, depth + 1) for child in node.iter_child_nodes())
    return None
