"""Call sites of JavaScript and TypeScript, by patterns on code without texts and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.inventory.governing import Gateways
from registry.inventory.lexing import Lexed

_IMPORT = re.compile(r"(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*(?=[\"'`])")
_NAME = r"[A-Za-z_$][\w$]*"
_ADDRESS = re.compile(
    r"\b(?:baseURL|baseUrl|basePath|base_url|azureOpenAIBasePath|endpoint|serverURL|host)\s*:\s*"
)
_VARIABLE = re.compile(
    rf"(?:process\.env|import\.meta\.env|Deno\.env)\s*(?:\.\s*(?:get\s*\(\s*)?)?({_NAME})?"
)
_RECEIVER = re.compile(rf"((?:this\s*\.\s*)?#?{_NAME})\s*(?:\.\s*(?:beta|v2|models)\s*)*\Z")
_MODEL = re.compile(rf"\bmodel\s*:\s*({_NAME})\s*[(.]")
# What may lead on to the address itself.
_WRAPPED = re.compile(r"\s*(?:`|\(|new\s+URL\s*\(|String\s*\()\s*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """An SDK call. `packages` of which the file must import one (by prefix); none: the call is typical enough by itself."""

    api: str
    call: re.Pattern[str]
    packages: tuple[str, ...] = ()


def _of(api: str, call: str, *packages: str) -> Pattern:
    return Pattern(api, re.compile(call), packages)


PATTERNS = (
    _of(
        "openai chat.completions",
        r"\.\s*chat\s*\.\s*completions\s*\.\s*(?:create|stream|parse|runTools)\s*\(",
    ),
    _of("openai responses", r"\.\s*responses\s*\.\s*(?:create|stream|parse)\s*\(", "openai"),
    _of("openai embeddings", r"\.\s*embeddings\s*\.\s*create\s*\(", "openai"),
    _of("openai createChatCompletion", r"\.\s*createChatCompletion\s*\("),
    _of("anthropic messages", r"\.\s*messages\s*\.\s*(?:create|stream)\s*\(", "@anthropic-ai/"),
    _of("google generateContent", r"\.\s*generateContent(?:Stream)?\s*\("),
    _of("cohere chat", r"\.\s*(?:chat|chatStream|generate)\s*\(", "cohere-ai"),
    _of("mistral chat", r"\.\s*chat\s*\.\s*(?:complete|stream)\s*\(", "@mistralai/"),
    _of(
        "bedrock",
        r"\bnew\s+(?:InvokeModel|InvokeModelWithResponseStream|Converse|ConverseStream)Command\s*\(",
    ),
    _of("ollama", r"\bollama\s*\.\s*(?:chat|generate|embed)\s*\(", "ollama"),
    _of(
        "huggingface",
        r"\.\s*(?:chatCompletion|chatCompletionStream|textGeneration|textGenerationStream)\s*\(",
        "@huggingface/",
    ),
    _of("vercel ai", r"(?<![\w$.])(?:generateText|streamText|generateObject|streamObject)\s*\(", "ai"),
    _of("langchain", r"\bnew\s+(?:Chat[A-Z]\w+|OpenAI|Ollama)\s*\(", "@langchain/", "langchain"),
    _of(
        "llamaindex",
        r"\bnew\s+(?:OpenAI|Anthropic|Ollama|MistralAI|Gemini|Groq)\s*\(",
        "llamaindex",
        "@llamaindex/",
    ),
)


def imported_packages(lexed: Lexed) -> set[str]:
    """The names in the file's imports and requires."""
    found = {lexed.text_at(match.end()) for match in _IMPORT.finditer(lexed.code)}
    return {name for name in found if name}


def has_package(imported: set[str], wanted: tuple[str, ...]) -> bool:
    """Whether one of `wanted` is imported: itself or a part of it; those that end in `/` name a scope."""
    return any(
        name == one or name.startswith(one if one.endswith("/") else f"{one}/")
        for one in wanted
        for name in imported
    )


def is_governed(lexed: Lexed, start: int, gateways: Gateways) -> bool:
    """Whether the SDK call that begins at `start` (its dot, or its `new`) is one of a client that points at a gateway."""
    own = lexed.code.find("(", start)
    if own >= 0 and _names_gateway(lexed, own, gateways):
        return True
    # The AI SDK is told its client by an argument, the others are methods of theirs.
    client = (own >= 0 and _MODEL.search(lexed.code, own, lexed.closing(own))) or _RECEIVER.search(
        lexed.code[max(0, start - 200) : start]
    )
    if not client:
        # `new OpenAI({…}).chat…`: the brackets just before the dot
        before = lexed.code[:start].rstrip()
        return before.endswith(")") and _names_gateway(lexed, _opening(before), gateways)
    name = re.escape(re.sub(r"\s+", "", client[1]))
    made = re.compile(
        rf"(?<![\w$]){name}\s*(?::[^=;\n]{{1,80}})?=\s*(?:await\s+)?(?:new\s+)?{_NAME}(?:\s*\.\s*{_NAME})*\s*\("
    )
    places = [match.end() - 1 for match in made.finditer(lexed.code)]
    return bool(places) and all(_names_gateway(lexed, place, gateways) for place in places)


def _opening(before: str) -> int:
    depth = 0
    for at in range(len(before) - 1, max(-1, len(before) - 5_000), -1):
        depth += {")": 1, "(": -1}.get(before[at], 0)
        if depth == 0:
            return at
    return len(before) - 1


def _names_gateway(lexed: Lexed, bracket: int, gateways: Gateways) -> bool:
    """Whether the arguments in these brackets set an address, and it is a gateway's."""
    match = _ADDRESS.search(lexed.code, bracket, lexed.closing(bracket))
    return match is not None and is_gateway_at(lexed, match.end(), gateways)


def is_gateway_at(lexed: Lexed, offset: int, gateways: Gateways, *, depth: int = 0) -> bool:
    """Whether the expression at `offset` begins with a gateway's address: a text, a variable, or a name for one of these."""
    text = lexed.text_at(offset)
    if text is not None:
        if text.startswith("${"):
            inner = text[2:].partition("}")[0].strip()
            return _is_gateway_expression(lexed, inner, gateways, depth)
        return gateways.is_gateway_url(text)
    wrapped = _WRAPPED.match(lexed.code, offset)
    if wrapped and wrapped.end() > offset:
        return depth < 8 and is_gateway_at(lexed, wrapped.end(), gateways, depth=depth + 1)
    variable = _VARIABLE.match(lexed.code, offset)
    if variable:
        bracket = re.compile(r"\s*[\[(]\s*").match(lexed.code, variable.end())
        name = variable[1] or (bracket and lexed.text_at(bracket.end())) or ""
        return gateways.is_gateway_variable(name)
    expression = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME})*").match(lexed.code, offset)
    return expression is not None and _is_gateway_expression(lexed, expression[0], gateways, depth)


def _is_gateway_expression(lexed: Lexed, expression: str, gateways: Gateways, depth: int) -> bool:
    last = re.split(r"[.\s?!|]+", re.match(r"[\w$.\s]*", expression)[0].strip() or "-")[-1]  # type: ignore[index]
    if gateways.is_gateway_variable(last):
        return True
    if depth >= 8 or not re.fullmatch(_NAME, last):
        return False
    made = re.search(rf"(?<![\w$.]){re.escape(last)}\s*(?::\s*string\s*)?=\s*(?![=>])", lexed.code)
    return made is not None and is_gateway_at(lexed, made.end(), gateways, depth=depth + 1)
