"""`/v1/prompts/{name}` and `/v1/features/{feature}/render`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from promptstore.core.errors import Conflict, NotFound
from releases.routing import Arm
from serving.auth import authenticate
from serving.documents import Prompt, Release
from serving.http import Request, Response, Send
from serving.node import Node
from serving.prepared import Headers, etag_matches, prompt_json, release_json, strong_etag
from serving.render import check_variables, render_messages, safe_answer
from serving.resolve import check_pin
from serving.routing import Decision, NoActiveReleaseError, check_unit, decide, find_feature, issue_pin
from serving.state import EnvironmentState


class UnknownPromptError(NotFound):
    """No release of the environment pins such a prompt."""

    code = "unknown_prompt"
    title = "Unknown prompt"


class AmbiguousPromptError(Conflict):
    """Features pin different versions, so there is no one answer."""

    code = "ambiguous_prompt"
    title = "Features disagree about this prompt"


async def prompt_get(node: Node, request: Request, _: Send) -> Response:
    """That version; without one the stable release's, or the one a unit is routed to.

    `409` when features disagree.
    """
    principal = authenticate(node.holder.current, request, scope="serve")
    query, name = request.query(), request.name
    environment = principal.environment
    if query.get("version"):
        prompt = _by_version(environment, name, query["version"], query.get("feature"))
    elif query.get("feature"):
        prompt = _routed(node, request, environment, name, query)
    else:
        prompt = _agreed(environment, name)
    body = orjson.dumps(prompt_json(prompt))
    headers: Headers = [(b"etag", strong_etag(body)), (b"cache-control", b"private, no-cache")]
    wanted = request.header(b"if-none-match")
    if wanted is not None and etag_matches(wanted, headers[0][1]):
        return Response(304, b"", headers, complete=True)
    return Response(200, body, [(b"content-type", b"application/json"), *headers])


def _by_version(environment: EnvironmentState, name: str, version: str, feature: str | None) -> Prompt:
    features = [find_feature(environment, feature)] if feature else environment.features.values()
    for state in features:
        for release in state.document.releases:
            for prompt in _named(release, name):
                if prompt.version == version:
                    return prompt
    raise UnknownPromptError(
        f"No active release in {environment.name} pins {name[:80]!r} at version {version[:80]!r}.",
        field="version",
    )


def _routed(
    node: Node, request: Request, environment: EnvironmentState, name: str, query: dict[str, str]
) -> Prompt:
    state = find_feature(environment, query["feature"])
    unit, pin = check_unit(query.get("unit")), query.get("pin") or request.text_header(b"x-promptstore-pin")
    if unit or pin:
        decision = decide(environment, state, unit=unit, pin=pin, pins=node.pins)
        release = None if decision.arm is Arm.SAFE else decision.release
    else:
        release = state.document.stable
    if release is None:
        raise NoActiveReleaseError(f"{query['feature']} serves no prompt to this unit now.", field="feature")
    for prompt in _named(release, name):
        return prompt
    raise UnknownPromptError(
        f"{query['feature']} {release.version} does not pin {name[:80]!r}.", field="name"
    )


def _agreed(environment: EnvironmentState, name: str) -> Prompt:
    found: dict[str, tuple[str, Prompt]] = {}
    for state in environment.features.values():
        if state.document.stable is not None:
            for prompt in _named(state.document.stable, name):
                found.setdefault(prompt.digest, (state.document.feature, prompt))
    if not found:
        raise UnknownPromptError(f"No stable release in {environment.name} pins {name[:80]!r}.", field="name")
    if len(found) > 1:
        named = ", ".join(sorted(f"{feature} ({prompt.version})" for feature, prompt in found.values()))
        raise AmbiguousPromptError(f"Name a feature or a version: {named}.", field="feature")
    return next(prompt for _, prompt in found.values())


def _named(release: Release, name: str) -> Iterable[Prompt]:
    return [prompt for key, prompt in release.prompts.items() if name in {key, prompt.name}]


async def render_post(node: Node, request: Request, _: Send) -> Response:
    """`POST {unit, variables}`: the messages, or in safe mode the deterministic answer in their place."""
    principal = authenticate(node.holder.current, request, scope="serve")
    body = await request.json_object(limit=node.settings.max_body_bytes)
    environment = principal.environment
    decision = decide(
        environment,
        find_feature(environment, request.name),
        unit=check_unit(body.get("unit")),
        pin=check_pin(body, request),
        pins=node.pins,
    )
    variables = check_variables(decision.release.prompt, body.get("variables"), field="variables")
    return Response.json(_rendered(decision, variables), headers=_routing_headers(node, decision))


def _rendered(decision: Decision, variables: dict[str, Any]) -> dict[str, Any]:
    prompt = decision.release.prompt
    answer: dict[str, Any] = {
        "feature": decision.name,
        "environment": decision.environment.name,
        "generation": decision.environment.generation,
        "arm": decision.arm,
        "reason": decision.reason,
        "release": release_json(decision.release),
    }
    if decision.arm is Arm.SAFE:
        return answer | {"prompt": None, "messages": [], "answer": safe_answer(decision.release, variables)}
    return answer | {
        "prompt": {"name": prompt.name, "version": prompt.version, "digest": prompt.digest},
        "messages": render_messages(decision.release, variables, field="variables"),
    }


def _routing_headers(node: Node, decision: Decision) -> Headers:
    return [
        (b"x-promptstore-release", decision.release.version.encode()),
        (b"x-promptstore-arm", decision.arm.value.encode()),
        (b"x-promptstore-pin", issue_pin(decision, node.pins).encode()),
    ]
