"""The fixed text of the prompt is longer than the project allows."""

from __future__ import annotations

from collections.abc import Iterator

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.spec import Role
from registry.rendering.tokens import TOKENS_FOR_REPLY, count_message_tokens

ID = "token-budget"


def check(context: LintContext) -> Iterator[Finding]:
    """Counts the templates as they stand, framing included; points at the message where the budget is
    passed."""
    budget = context.config.token_budget
    if budget is None:
        return
    total, crossing, exact = TOKENS_FOR_REPLY, None, True
    for index, message in enumerate(context.spec.messages):
        if message.role is Role.HISTORY:
            continue
        counted = count_message_tokens([message.to_dict()], context.config.encoding)
        total += counted.tokens - TOKENS_FOR_REPLY
        exact = counted.exact
        if total > budget and crossing is None:
            crossing = index
    if total > budget:
        about = "" if exact else "about "
        yield context.at_span(
            Finding(
                ID,
                Severity.ERROR,
                f"The prompt's own text has {about}{total:,} tokens; the budget is {budget:,}.",
                "Shorten the messages, or raise the budget in the project's settings.",
            ),
            crossing or 0,
            0,
            1,
        )


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="The prompt is over its token budget",
    explanation=(
        "Every call pays for the prompt's own text. Variables are not counted here; their size is known at "
        "the call."
    ),
    example="A system message of 9,000 tokens with a budget of 4,000",
    fix="Shorten the text, or raise the budget.",
    check=check,
)
