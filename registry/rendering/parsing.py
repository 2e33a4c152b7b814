"""From template text to a syntax tree, with limits checked before anything recursive runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from registry.rendering import language, limits
from registry.rendering.findings import Finding, Severity
from registry.rendering.positions import RawToken, SourceMap, normalise_newlines, scan

SYNTAX: Final = "template-syntax"
TOO_COMPLEX: Final = "template-too-complex"

_BEGIN: Final = frozenset({"variable_begin", "block_begin"})
_END: Final = frozenset({"variable_end", "block_end"})
_SILENT: Final = frozenset({"whitespace", "comment", "comment_begin", "comment_end"})

PLAIN_ENVIRONMENT: Final = Environment(keep_trailing_newline=True, autoescape=False)  # noqa: S701 - parses only


@dataclass(slots=True)
class ParsedTemplate:
    """A syntax tree whose `lineno`s are character offsets into `source`, or the finding why there is none."""

    source: str
    source_map: SourceMap
    tree: nodes.Template | None = None
    finding: Finding | None = None
    token_count: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    """Token start offset → token end offset, for tokens inside tags."""
    words: list[RawToken] = field(default_factory=list)
    """The tokens inside tags that mean something, in order."""


class _TooComplexError(Exception):
    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


def parse_template(source: str, *, token_budget: int = limits.MAX_TEMPLATE_TOKENS) -> ParsedTemplate:
    """Parse without compiling. Never raises for any text: what is wrong comes back as `finding`."""
    if len(source) > limits.MAX_TEMPLATE_BYTES:
        finding = Finding(
            TOO_COMPLEX,
            Severity.ERROR,
            f"The template has {len(source):,} characters; the limit is {limits.MAX_TEMPLATE_BYTES:,}.",
            "Pass long text as a variable.",
            line=1,
            column=1,
            end_column=2,
        )
        return ParsedTemplate("", SourceMap(""), finding=finding)
    source = normalise_newlines(source)
    parsed = ParsedTemplate(source, SourceMap(source))
    try:
        tokens = _scan_within_limits(parsed, token_budget)
        parser = Parser(PLAIN_ENVIRONMENT, "")
        stream = ((token.offset, token.kind, token.text) for token in tokens)
        parser.stream = TokenStream(PLAIN_ENVIRONMENT.lexer.wrap(stream), None, None)
        parsed.tree = parser.parse()
    except _TooComplexError as error:
        parsed.finding = _finding(parsed, TOO_COMPLEX, error.offset, error.message, error.hint)
    except TemplateSyntaxError as error:
        message, hint = _explain(error.message or "The template is not valid.")
        parsed.finding = _finding(parsed, SYNTAX, error.lineno, message, hint)
    except RecursionError:
        # Only reachable when the caller's own stack is nearly used up; the limits above keep us far below.
        message = "The template is nested too deeply."
        parsed.finding = _finding(parsed, TOO_COMPLEX, 0, message, "Split the expression.")
    return parsed


def _scan_within_limits(parsed: ParsedTemplate, token_budget: int) -> list[RawToken]:
    tokens: list[RawToken] = []
    brackets = blocks = in_expression = 0
    previous = ""
    for token in scan(PLAIN_ENVIRONMENT, parsed.source):
        tokens.append(token)
        if token.kind in _SILENT:
            continue
        parsed.token_count += 1
        if parsed.token_count > token_budget:
            message = f"The prompt's tags have more than {limits.MAX_TEMPLATE_TOKENS:,} tokens."
            raise _TooComplexError(
                token.offset, message, "Write repeated parts as a loop over a list variable."
            )
        if token.kind == "data":
            continue
        parsed.ends[token.offset] = token.end
        parsed.words.append(token)
        if token.kind in _BEGIN:
            in_expression = brackets = 0
        in_expression += 1
        if in_expression > limits.MAX_EXPRESSION_TOKENS:
            message = f"One tag has more than {limits.MAX_EXPRESSION_TOKENS} tokens."
            raise _TooComplexError(
                token.offset, message, "Split it into several, or pass the result as a variable."
            )
        if token.kind in {"integer", "float"} and len(token.text) > limits.MAX_NUMBER_CHARACTERS:
            raise _TooComplexError(token.offset, "The number is too long.", "Pass it as a variable.")
        if token.kind == "operator":
            brackets += (token.text in "([{") - (token.text in ")]}")
            if brackets > limits.MAX_BRACKET_DEPTH:
                message = f"Brackets are nested deeper than {limits.MAX_BRACKET_DEPTH} levels."
                raise _TooComplexError(token.offset, message, "Simplify the expression.")
        if previous == "block_begin" and token.kind == "name":
            blocks += (token.text in language.BLOCK_OPENERS) - token.text.startswith("end")
            if blocks > limits.MAX_BLOCK_DEPTH:
                message = f"Blocks are nested deeper than {limits.MAX_BLOCK_DEPTH} levels."
                raise _TooComplexError(token.offset, message, "Combine conditions with `and`, or use elif.")
        previous = token.kind
    return tokens


def _finding(parsed: ParsedTemplate, rule_id: str, offset: int, message: str, hint: str) -> Finding:
    line, column, end_column = parsed.source_map.span(offset, parsed.ends.get(offset, offset + 1))
    return Finding(rule_id, Severity.ERROR, message, hint, line=line, column=column, end_column=end_column)


def _explain(message: str) -> tuple[str, str]:
    """Jinja's message as a sentence, and what to do about the common ones."""
    message = message.strip().rstrip(".")[:300]
    # The lexer counts positions from the start of the template; the finding has line and column.
    message = message.partition(" at ")[0] if message.startswith("unexpected char") else message
    hint = "Check the tag; to write braces as text, put them between {% raw %} and {% endraw %}."
    if "end of print statement" in message:
        hint = "Close the variable with }}."
    elif "end of statement block" in message:
        hint = "Close the tag with %}."
    elif "comment" in message:
        hint = "Close the comment with #}."
    elif "looking for the following tags" in message or "Unexpected end of template" in message:
        hint = "Close the block with the tag named in the message."
    return f"{message[:1].upper()}{message[1:]}.", hint
