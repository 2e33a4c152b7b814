"""How models are reached. A change takes effect only when the endpoint answers, or when somebody says why it should anyway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit, clock, crypto, outbox
from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput, StaleWrite
from promptstore.core.models import Credential, Environment
from promptstore.core.permissions import require
from providers.guard import UrlRefusedError, check_url
from registry.errors import EndpointUnreachable, NameTaken
from registry.models import Endpoint
from registry.names import check_name, check_text
from registry.probes import PROBES, ClientSettings, ProbeResult, probe
from registry.selectors.endpoints import client_settings, settings_of
from registry.services.access import get_for

MAX_URL_CHARS = 300
MAX_KEY_CHARS = 4_000
_HINTED_FROM = 16  # characters; of a shorter key four would say too much


def create_endpoint(
    *,
    actor: Actor,
    project_id: UUID,
    name: str,
    protocol: str,
    base_url: str,
    api_key: str | None = None,
    allow_private: bool = False,
    force: bool = False,
    reason: str = "",
) -> Endpoint:
    """A new endpoint, probed first. The key is sealed and never shown again.

    Raises `EndpointUnreachable` unless it answers or `force` comes with a reason; `InvalidInput`, `NameTaken`, `NotAllowed`.
    """
    require(actor, "endpoint.manage", project_id=project_id)
    check_name(name)
    wanted = _checked(ClientSettings(protocol, base_url.strip(), api_key or None, allow_private, revision=1))
    result = _probed(wanted, force=force, reason=reason)
    with transaction.atomic():
        require(actor, "endpoint.manage", project_id=project_id)
        endpoint = Endpoint(
            project_id=project_id,
            name=name,
            protocol=wanted.protocol,
            base_url=wanted.base_url,
            allow_private=allow_private,
            last_check=_as_check(result, revision=1),
        )
        try:
            with transaction.atomic():
                endpoint.save(force_insert=True)
        except IntegrityError as error:
            raise NameTaken(f"An endpoint called “{name}” exists already.", field="name") from error
        if wanted.api_key:
            _store_key(endpoint, wanted.api_key)
            Endpoint.objects.filter(pk=endpoint.pk).update(credential=endpoint.credential)
        _announce(actor, "endpoint.created", endpoint, before=None, result=result, reason=reason)
    return endpoint


def update_endpoint(
    *,
    actor: Actor,
    endpoint_id: UUID,
    revision: int,
    base_url: str | None = None,
    api_key: str | None = None,
    allow_private: bool | None = None,
    force: bool = False,
    reason: str = "",
) -> Endpoint:
    """Change how a model is reached; `None` keeps a value, an empty `api_key` removes the key.

    The probe runs before anything is locked; the row must still be at `revision` afterwards. Every change makes a new revision,
    which inferences record. Raises as `create_endpoint`, and `StaleWrite`.
    """
    current = get_for(actor, "endpoint.manage", Endpoint.objects.select_related("credential"), endpoint_id)
    _check_revision(current, revision)
    known = settings_of(current)
    wanted = _checked(
        replace(
            known,
            base_url=known.base_url if base_url is None else base_url.strip(),
            api_key=known.api_key if api_key is None else (api_key or None),
            allow_private=known.allow_private if allow_private is None else allow_private,
        )
    )
    if wanted == known:
        return current
    result = _probed(wanted, force=force, reason=reason)
    with transaction.atomic():
        require(actor, "endpoint.manage", project_id=current.project_id)
        endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
        _check_revision(endpoint, revision)
        before = _facts(endpoint)
        endpoint.base_url, endpoint.allow_private = wanted.base_url, wanted.allow_private
        endpoint.revision = revision + 1
        endpoint.last_check = _as_check(result, revision=endpoint.revision)
        if wanted.api_key is None:
            endpoint.credential = None
        elif wanted.api_key != known.api_key:
            _store_key(endpoint, wanted.api_key)
        endpoint.save()
        _announce(actor, "endpoint.changed", endpoint, before=before, result=result, reason=reason)
    return endpoint


def check_endpoint(*, actor: Actor, endpoint_id: UUID) -> ProbeResult:
    """Probe an endpoint as it is now and remember the outcome. Changes nothing else."""
    endpoint = get_for(actor, "endpoint.manage", Endpoint.objects.all(), endpoint_id)
    settings = client_settings(endpoint_id)
    result = probe(settings)
    with transaction.atomic():
        # Not through `save`: the outcome of a probe is no change of the endpoint and makes no revision.
        Endpoint.objects.filter(pk=endpoint_id).update(
            last_check=_as_check(result, revision=settings.revision)
        )
        audit.record(
            actor=actor,
            action="endpoint.checked",
            target=endpoint,
            project_id=endpoint.project_id,
            after={"ok": result.ok, "detail": result.detail, "latency_ms": result.latency_ms},
        )
    return result


def _checked(settings: ClientSettings) -> ClientSettings:
    if settings.protocol not in PROBES:
        raise InvalidInput(f"Use one of: {', '.join(sorted(PROBES))}.", field="protocol")
    check_text(settings.base_url, field="base_url", max_chars=MAX_URL_CHARS, required=True)
    try:
        url = check_url(settings.base_url, allow_private=settings.allow_private)
    except UrlRefusedError as error:
        raise InvalidInput(
            f"This URL may not be called: {error}.", code="url_refused", field="base_url"
        ) from error
    if url.query_string or url.fragment:
        raise InvalidInput("Leave out everything from ? or # on; keys go into the API key.", field="base_url")
    key = settings.api_key
    if key is not None and (
        len(key) > MAX_KEY_CHARS or not key.isprintable() or not key.isascii() or key != key.strip()
    ):
        raise InvalidInput("A key is printable ASCII without spaces around it.", field="api_key")
    return settings


def _probed(settings: ClientSettings, *, force: bool, reason: str) -> ProbeResult:
    check_text(reason, field="reason", required=force)
    result = probe(settings)
    if not result.ok and not force:
        raise EndpointUnreachable(
            f"{result.detail} Nothing was changed. Correct it, or save anyway and say why.",
            field="base_url",
            extra={"probe": result.detail},
        )
    return result


def _check_revision(endpoint: Endpoint, revision: int) -> None:
    if endpoint.revision != revision:
        raise StaleWrite(
            f"{endpoint.name} was changed after you opened it. Look at what it is now, then save again.",
            field="revision",
            extra={"current_revision": endpoint.revision},
        )


def _store_key(endpoint: Endpoint, api_key: str) -> None:
    hint = api_key[-4:] if len(api_key) >= _HINTED_FROM else ""
    endpoint.credential, _made = Credential.objects.update_or_create(
        project_id=endpoint.project_id,
        name=f"endpoint:{endpoint.name}",
        defaults={"sealed": crypto.seal(api_key), "hint": hint},
    )


def _announce(
    actor: Actor,
    action: str,
    endpoint: Endpoint,
    *,
    before: dict[str, Any] | None,
    result: ProbeResult,
    reason: str,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=endpoint,
        project_id=endpoint.project_id,
        before=before,
        after={**_facts(endpoint), "probe": result.detail, "forced": not result.ok},
        reason=reason.strip(),
    )
    for environment_id in Environment.objects.filter(project_id=endpoint.project_id).values_list(
        "pk", flat=True
    ):
        outbox.emit("snapshot.publish", {"environment_id": str(environment_id)})


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "protocol": endpoint.protocol,
        "base_url": endpoint.base_url,
        "allow_private": endpoint.allow_private,
        "revision": endpoint.revision,
        "has_key": endpoint.credential_id is not None,
    }


def _as_check(result: ProbeResult, *, revision: int) -> dict[str, Any]:
    return {
        "ok": result.ok,
        "detail": result.detail,
        "latency_ms": result.latency_ms,
        "at": clock.now().isoformat(),
        "revision": revision,
    }
