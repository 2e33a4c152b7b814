from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.errors import DomainError, InvalidInput, StaleWrite
from promptstore.core.models import AuditEvent, Credential, OutboxMessage
from registry.errors import EndpointUnreachable
from registry.models import Endpoint
from registry.probes import ClientSettings, probe
from registry.selectors.endpoints import client_settings
from registry.services import endpoints
from tests.cast import Cast
from tests.registry.conftest import ModelServer

SECRET = "sk-test-0123456789abcdef"


def update(cast: Cast, endpoint: Endpoint, **changes: Any) -> Endpoint:
    return endpoints.update_endpoint(
        actor=cast.actor("engineer"), endpoint_id=endpoint.id, revision=changes.pop("revision", 1), **changes
    )


def test_the_key_is_sealed_used_and_never_written_down(
    cast: Cast, endpoint: Endpoint, model_server: ModelServer
) -> None:
    update(cast, endpoint, api_key=SECRET)

    assert model_server.keys_seen[-1] == f"Bearer {SECRET}"
    settings = client_settings(endpoint.id)
    assert (settings.api_key, settings.revision, settings.protocol) == (SECRET, 2, "openai_http")
    credential = Credential.objects.get()
    assert SECRET.encode() not in bytes(credential.sealed)
    assert credential.hint == "cdef"
    assert SECRET not in repr(settings)
    assert not any(SECRET in str(event) for event in AuditEvent.objects.values())


def test_a_change_is_announced_to_every_environment(cast: Cast, endpoint: Endpoint) -> None:
    OutboxMessage.objects.all().delete()

    update(cast, endpoint, api_key=SECRET)

    told = {
        message.payload["environment_id"]
        for message in OutboxMessage.objects.filter(topic="snapshot.publish")
    }
    assert told == {str(cast.staging.id), str(cast.production.id)}


def test_a_change_that_changes_nothing_makes_no_revision(cast: Cast, endpoint: Endpoint) -> None:
    assert update(cast, endpoint, base_url=endpoint.base_url).revision == 1


def test_an_endpoint_that_does_not_answer_keeps_what_it_was(
    cast: Cast, endpoint: Endpoint, model_server: ModelServer
) -> None:
    model_server.answer_with(500)
    with pytest.raises(EndpointUnreachable, match="HTTP 500"):
        update(cast, endpoint, api_key=SECRET)
    with pytest.raises(InvalidInput):
        update(cast, endpoint, api_key=SECRET, force=True)
    endpoint.refresh_from_db()
    assert (endpoint.revision, endpoint.credential_id) == (1, None)

    forced = update(cast, endpoint, api_key=SECRET, force=True, reason="It is being restarted.")
    assert forced.revision == 2
    event = AuditEvent.objects.filter(action="endpoint.changed").get()
    assert event.after is not None
    assert (event.reason, event.after["forced"]) == ("It is being restarted.", True)


def test_an_update_from_an_old_revision_is_refused(cast: Cast, endpoint: Endpoint) -> None:
    update(cast, endpoint, api_key=SECRET)

    with pytest.raises(StaleWrite):
        update(cast, endpoint, api_key="sk-other")


def test_the_key_can_be_removed(cast: Cast, endpoint: Endpoint) -> None:
    update(cast, endpoint, api_key=SECRET)
    update(cast, endpoint, api_key="", revision=2)

    assert client_settings(endpoint.id).api_key is None


def test_a_check_is_remembered_and_makes_no_revision(
    cast: Cast, endpoint: Endpoint, model_server: ModelServer
) -> None:
    model_server.answer_with(403)

    result = endpoints.check_endpoint(actor=cast.actor("engineer"), endpoint_id=endpoint.id)

    endpoint.refresh_from_db()
    assert (result.ok, endpoint.revision) == (False, 1)
    assert endpoint.last_check is not None
    assert endpoint.last_check["detail"] == "The endpoint refuses this API key (HTTP 403)."


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("ftp://example.org/v1", False),
        ("http://user:pw@example.org/v1", False),
        ("http://169.254.169.254/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://[::1]/v1", False),
        ("https://example.org/v1?key=secret", False),
        ("not a url", False),
        ("", False),
    ],
)
def test_urls_that_may_not_be_called_are_refused_before_anything_is_sent(
    cast: Cast, url: str, private: bool
) -> None:
    with pytest.raises(DomainError) as refused:
        endpoints.create_endpoint(
            actor=cast.actor("engineer"),
            project_id=cast.project.id,
            name="main",
            protocol="openai_http",
            base_url=url,
            allow_private=private,
        )
    assert refused.value.field == "base_url"
    assert not Endpoint.objects.exists()


def test_a_name_that_resolves_to_a_private_address_is_refused(model_server: ModelServer) -> None:
    url = model_server.url.replace("127.0.0.1", "localhost")

    result = probe(ClientSettings("openai_http", url, None, allow_private=False, revision=1))

    assert not result.ok
    assert "may not be called" in result.detail
    assert model_server.keys_seen == []


def test_nobody_listening_is_said_in_words() -> None:
    result = probe(
        ClientSettings("openai_http", "http://127.0.0.1:9/v1", None, allow_private=True, revision=1)
    )

    assert (result.ok, "refused" in result.detail.lower()) == (False, True)
