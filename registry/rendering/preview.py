"""Rendering of drafts, in a process that can be killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.rendering.errors import RenderError
from registry.rendering.json_values import JsonValue, JsonValueError, check_json
from registry.rendering.pool import PreviewPool, shared_pool
from registry.rendering.spec import PromptSpec


@dataclass(frozen=True, slots=True)
class Preview:
    """Either `messages` (as `CompiledPrompt.render` returns them) or the `error` that a published prompt
    would give."""

    messages: tuple[dict[str, Any], ...] | None = None
    error: RenderError | None = None


def preview(
    spec: PromptSpec,
    variables: Mapping[str, JsonValue],
    *,
    history: Sequence[Mapping[str, JsonValue]] = (),
    timeout_s: float = 1.0,
    pool: PreviewPool | None = None,
) -> Preview:
    """Render a draft as it would render when published.

    The draft is parsed, checked, compiled and rendered in a worker with limits on memory, CPU and
    wall-clock time, so whatever it contains, this process stays as it was. The answer comes within
    `timeout_s` of getting a worker, for which a start or a queue may take a moment (`registry.rendering.pool`).
    Never raises for bad input: look at `Preview.error`.
    """
    try:
        check_json(variables)
        check_json(list(history), root="history")
    except JsonValueError as error:
        where = error.path or "variables"
        return Preview(error=RenderError("invalid_value", f"{where}: {error.reason}.", field=where))
    if not isinstance(variables, dict):
        return Preview(error=RenderError("invalid_value", "Variables are a JSON object.", field="variables"))
    request = {
        "messages": [[message.role.value, message.content] for message in spec.messages],
        "variables": dict(variables),
        "history": list(history),
        "checked": True,
        "timeout_s": timeout_s,
    }
    try:
        answer = (pool or shared_pool()).run(request, timeout_s=timeout_s)
    except RenderError as error:
        return Preview(error=error)
    if "error" in answer:
        found = answer["error"]
        return Preview(
            error=RenderError(
                found["code"],
                found["message"],
                found["message_index"],
                line=found["line"],
                column=found["column"],
                field=found["field"],
            )
        )
    return Preview(messages=tuple(answer["messages"]))
