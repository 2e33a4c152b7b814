"""Rendering of published prompts, in process.

Only templates inside the subset are compiled (`registry.rendering.analysis`), so nothing here can run away:
loops and comparisons pay in advance from a budget, text is counted while it is generated, and values are
plain JSON of bounded size. Drafts go through `registry.rendering.preview` instead.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import Template
from jinja2.exceptions import TemplateRuntimeError, UndefinedError

from registry.rendering import limits
from registry.rendering.analysis import check_messages
from registry.rendering.budget import Budget
from registry.rendering.environment import BudgetTransformer, PromptEnvironment
from registry.rendering.errors import RenderError
from registry.rendering.filters import BudgetContext
from registry.rendering.json_values import JsonValue, JsonValueError, check_json
from registry.rendering.parsing import ParsedTemplate
from registry.rendering.positions import SourceMap
from registry.rendering.spec import Message, PromptSpec, Role

HISTORY_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_environment: Final = PromptEnvironment()


class CompiledMessage:
    """One message of a prompt, compiled."""

    def __init__(self, message: Message, index: int, parsed: ParsedTemplate) -> None:
        assert parsed.tree is not None, "only templates that passed the analysis are compiled"
        self.role = message.role
        self.index = index
        self._source = parsed.source
        tree = BudgetTransformer().visit(parsed.tree)
        tree.set_environment(_environment)
        self._template: Template = _environment.from_string(tree)

    def render(self, variables: Mapping[str, Any], budget: Budget) -> str:
        """Text of the message. Raises `RenderError` with the message's index and, where known, line and
        column."""
        context = self._template.new_context(dict(variables))
        assert isinstance(context, BudgetContext), "the environment makes contexts that carry a budget"
        context.budget = budget
        chunks: list[str] = []
        try:
            for chunk in self._template.root_render_func(context):
                budget.write(len(chunk))
                chunks.append(chunk)
        except RenderError as error:
            raise self._located(error.code, error.message, error) from error
        except UndefinedError as error:
            raise self._located(
                "missing_variable", error.message or "A variable is missing.", error
            ) from error
        except (TemplateRuntimeError, TypeError, ValueError, OverflowError) as error:
            # The filters report what they foresee; anything else is a value that does not fit its place.
            raise self._located("type_mismatch", str(error)[:300], error) from error
        return "".join(chunks)

    def _located(self, code: str, message: str, error: BaseException) -> RenderError:
        offset = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self._template.root_render_func.__code__:
                # The tree's line numbers are character offsets, see registry.rendering.positions.
                offset = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        if offset is None:
            return RenderError(code, message, self.index)
        line, column = SourceMap(self._source).position(offset)
        return RenderError(code, message, self.index, line=line, column=column)


class CompiledPrompt:
    """A prompt ready to render, many times and from many threads at once."""

    def __init__(self, messages: Sequence[Message], compiled: Sequence[CompiledMessage]) -> None:
        self._messages = tuple(messages)
        self._compiled = {message.index: message for message in compiled}
        self._has_history = any(message.role is Role.HISTORY for message in messages)

    def render(
        self, variables: Mapping[str, JsonValue], history: Sequence[Mapping[str, JsonValue]] = ()
    ) -> list[dict[str, Any]]:
        """The messages to send, as `{"role", "content"}`.

        `variables` are plain JSON values; they are not checked against the input schema here
        (`registry.rendering.schemas.validate`). `history` is the caller's conversation: it takes the place
        of the `history` message, or follows the prompt's messages when there is none, and is passed on
        unchanged. Raises `RenderError`; see there for the codes.
        """
        try:
            check_json(variables)
        except JsonValueError as error:
            where = error.path or "variables"
            raise RenderError("invalid_value", f"{where}: {error.reason}.", field=where) from error
        if not isinstance(variables, dict):
            raise RenderError("invalid_value", "Variables are a JSON object.", field="variables")
        budget = Budget()
        conversation = _checked_history(history, budget)
        result: list[dict[str, Any]] = []
        for index, message in enumerate(self._messages):
            if message.role is Role.HISTORY:
                result.extend(conversation)
            else:
                content = self._compiled[index].render(variables, budget)
                result.append({"role": message.role.value, "content": content})
        if not self._has_history:
            result.extend(conversation)
        return result


def _checked_history(history: Sequence[Mapping[str, JsonValue]], budget: Budget) -> list[dict[str, Any]]:
    try:
        check_json(list(history), root="history")
    except JsonValueError as error:
        raise RenderError("invalid_value", f"{error.path}: {error.reason}.", field=error.path) from error
    conversation: list[dict[str, Any]] = []
    for index, message in enumerate(history):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in HISTORY_ROLES:
            where = f"history[{index}].role"
            known = ", ".join(sorted(HISTORY_ROLES))
            raise RenderError("invalid_value", f"{where}: use one of {known}.", field=where)
        content = message.get("content")
        budget.write(len(content) if isinstance(content, str) else 0)
        conversation.append(dict(message))
    return conversation


class _CompiledCache:
    """Least recently used prompts, bounded in number and in template text."""

    def __init__(self, *, max_prompts: int, max_chars: int) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Message, ...], CompiledPrompt] = OrderedDict()
        self._max_prompts = max_prompts
        self._max_chars = max_chars
        self._chars = 0

    def get(self, key: tuple[Message, ...]) -> CompiledPrompt | None:
        with self._lock:
            compiled = self._entries.get(key)
            if compiled is not None:
                self._entries.move_to_end(key)
            return compiled

    def put(self, key: tuple[Message, ...], compiled: CompiledPrompt) -> None:
        with self._lock:
            if key not in self._entries:
                self._chars += _chars(key)
            self._entries[key] = compiled
            while len(self._entries) > self._max_prompts or (
                self._chars > self._max_chars and len(self._entries) > 1
            ):
                evicted, _ = self._entries.popitem(last=False)
                self._chars -= _chars(evicted)

    def __len__(self) -> int:
        return len(self._entries)


def _chars(messages: tuple[Message, ...]) -> int:
    return sum(len(message.content) for message in messages)


_cache: Final = _CompiledCache(max_prompts=512, max_chars=16 * limits.MAX_TEMPLATE_BYTES)


def compile_prompt(spec: PromptSpec) -> CompiledPrompt:
    """Compile a prompt, or return it from the cache; only the messages matter for that.

    Raises `RenderError("not_in_subset")` with index, line and column of the first thing outside the subset:
    such a prompt cannot have been published.
    """
    cached = _cache.get(spec.messages)
    if cached is not None:
        return cached
    compiled: list[CompiledMessage] = []
    for index, (analysis, parsed) in enumerate(check_messages(spec)):
        if analysis.findings:
            first = analysis.findings[0]
            raise RenderError("not_in_subset", first.message, index, line=first.line, column=first.column)
        if spec.messages[index].role is not Role.HISTORY:
            compiled.append(CompiledMessage(spec.messages[index], index, parsed))
    prompt = CompiledPrompt(spec.messages, compiled)
    _cache.put(spec.messages, prompt)
    return prompt
