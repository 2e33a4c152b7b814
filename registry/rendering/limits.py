"""The numbers that bound every piece of work in this package.

Sizes are counted in UTF-8 bytes where text is stored and in characters where text is produced. Nesting
limits are far below Python's recursion limit, so that no check in this package can run out of stack.
"""

from __future__ import annotations

from typing import Final

MAX_MESSAGES: Final = 64
MAX_TEMPLATE_BYTES: Final = 256 * 1024
"""All message templates of one prompt together."""

MAX_SCHEMA_BYTES: Final = 64 * 1024
MAX_TOOLS: Final = 128
MAX_TOOLS_BYTES: Final = 256 * 1024
MAX_JSON_DEPTH: Final = 40

MAX_TEMPLATE_TOKENS: Final = 8_000
"""Lexical tokens inside tags, all templates of one prompt together; text outside tags counts as one per
piece."""

MAX_EXPRESSION_TOKENS: Final = 200
MAX_BRACKET_DEPTH: Final = 10
MAX_BLOCK_DEPTH: Final = 12
MAX_AST_DEPTH: Final = 60
MAX_ELIF_BRANCHES: Final = 50
MAX_LOOP_DEPTH: Final = 2
MAX_NUMBER_CHARACTERS: Final = 18

MAX_OUTPUT_CHARS: Final = 1_000_000
"""Rendered text of one prompt, caller's history included."""

MAX_WORK: Final = 500_000
"""Budget of one rendering, in steps: about one evaluated expression, or 32 characters looked at or
produced."""

MAX_VALUE_CHARS: Final = 1_000_000
MAX_VALUE_NODES: Final = 100_000
MAX_VALUE_DEPTH: Final = 20
MAX_INTEGER_BITS: Final = 128

MAX_PATTERN_CHARS: Final = 512
MAX_PATTERN_GROUPS: Final = 20
MAX_PATTERN_WEIGHT: Final = 5_000
MAX_PATTERN_TEXT_CHARS: Final = 100_000
MAX_SCHEMA_STEPS: Final = 50_000
"""Keywords evaluated for one value."""

MAX_METASCHEMA_STEPS: Final = 400_000
"""Keywords evaluated to check one schema; the meta-schema is ours, so this is linear in the schema's size."""

MAX_PATTERN_SECONDS: Final = 0.25
MAX_PROBLEMS: Final = 50

MAX_FINDINGS: Final = 500
