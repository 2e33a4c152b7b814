"""The process that renders drafts: `python -m registry.rendering.worker`.

It answers one request at a time on standard input and output and ends when its parent goes away. It has no
environment variables, no files to write, a ceiling on memory for its whole life and one on CPU time per
request. A request says whether the template must pass the analysis first (`"checked"`); the product always
says yes, and the limits of the process hold without it.
"""

from __future__ import annotations

import math
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from registry.rendering import limits
from registry.rendering.errors import RenderError
from registry.rendering.frames import encode_frame, read_frame
from registry.rendering.render import compile_prompt
from registry.rendering.spec import Message, PromptSpec, Role

MEMORY_HEADROOM_BYTES = 128 * 1024 * 1024


def _limit_process() -> None:
    """Cap what the process may take for good; the memory cap is what it has now plus a fixed headroom."""
    ceiling = _address_space_bytes() + MEMORY_HEADROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


def _address_space_bytes() -> int:
    """What the process has mapped already (Linux)."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def _limit_cpu(seconds: float) -> None:
    """Let this request use so much CPU time; the kernel counts whole seconds over the process's life."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _render(request: dict[str, Any]) -> dict[str, Any]:
    messages = tuple(Message(Role(role), content) for role, content in request["messages"])
    try:
        if request["checked"]:
            prompt = compile_prompt(PromptSpec(messages))
            return {"messages": prompt.render(request["variables"], request["history"])}
        return {"messages": _render_unchecked(messages, request["variables"])}
    except RenderError as error:
        return {"error": _describe(error)}


def _render_unchecked(messages: tuple[Message, ...], variables: dict[str, Any]) -> list[dict[str, str]]:
    """All of Jinja's sandbox, with the output counted as it comes."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, cache_size=0
    )
    result = []
    room = limits.MAX_OUTPUT_CHARS
    for index, message in enumerate(messages):
        chunks = []
        try:
            for chunk in environment.from_string(message.content).generate(variables):
                room -= len(chunk)
                if room < 0:
                    raise RenderError("output_too_large", "The rendered prompt is too long.", index)
                chunks.append(chunk)
        except RecursionError:
            raise RenderError("too_much_work", "The template is nested too deeply.", index) from None
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, RenderError):
                raise
            raise RenderError("type_mismatch", str(error)[:300], index) from error
        result.append({"role": message.role.value, "content": "".join(chunks)})
    return result


def _describe(error: RenderError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "message_index": error.message_index,
        "line": error.line,
        "column": error.column,
        "field": error.field,
    }


def serve(requests: BinaryIO, responses: BinaryIO) -> None:
    """Answer until the requests end, or until memory ran out once: a worker that was there is not used
    again."""
    responses.write(encode_frame({"ready": True}))
    responses.flush()
    while (request := read_frame(requests)) is not None:
        _limit_cpu(request["timeout_s"])
        exhausted = False
        try:
            answer = encode_frame(_render(request))
        except MemoryError:
            exhausted = True
            message = "Rendering needs too much memory."
            answer = encode_frame({"error": _describe(RenderError("out_of_memory", message)), "last": True})
        responses.write(answer)
        responses.flush()
        if exhausted:
            return


if __name__ == "__main__":
    _limit_process()
    serve(sys.stdin.buffer, sys.stdout.buffer)
