from __future__ import annotations

from typing import Any

from registry.models import Endpoint, ModelVersion, ServingConfigVersion
from registry.services import configs, models
from tests.cast import Cast
from tests.registry.conftest import CONFIG, HOSTED, ModelServer
from tests.registry.views.conftest import As


def entry(**changes: Any) -> dict[str, Any]:
    """What a browser sends to register a hosted model."""
    return {
        "name": "assistant",
        "version": "1.0.0",
        "kind": "hosted",
        "provider": "example",
        "provider_model_id": "assistant-2026-01-15",
        "endpoint": "main",
        "snapshot_at": "2026-02-01T10:00",
        "price_input": "0.15",
        "price_output": "0.60",
        "tokenizer_name": "o200k_base",
        "tokenizer_version": "1",
        "metrics": '{"exact_match": 0.91}',
        **changes,
    }


def config(**changes: Any) -> dict[str, Any]:
    """What a browser sends to publish a config."""
    return {
        "name": "calm",
        "on_withdraw": "safe_mode",
        "template": "Please ask again later.",
        "timeout_ms": "8000",
        "policy_mode": "buffer",
        "banned": "secrets: root password\nopen: /0\\.0\\.0\\.0/",
        "share_bp": "500",
        "action": "publish",
        **changes,
    }


def test_a_model_needs_an_endpoint_first(browse: As) -> None:
    assert b"An endpoint comes first" in browse("engineer").get("/models/new/").content


def test_a_model_is_registered_and_shown(browse: As, endpoint: Endpoint) -> None:
    client = browse("engineer")
    answer = client.post("/models/new/", entry())

    assert answer["Location"] == "/models/assistant/versions/1.0.0/"
    row = ModelVersion.objects.get()
    assert row.price == {"input_nanos_per_mtok": 150_000_000, "output_nanos_per_mtok": 600_000_000}
    page = client.get("/models/assistant/").content.decode()
    assert "assistant-2026-01-15" in page
    assert "exact match" in page
    assert "assistant" in client.get("/models/").content.decode()
    again = client.get("/models/new/", {"model": "assistant"})
    assert again.context["form"].initial["tokenizer_name"] == "o200k_base"


def test_an_alias_is_refused_at_its_field(browse: As, endpoint: Endpoint) -> None:
    answer = browse("engineer").post("/models/new/", entry(provider_model_id="assistant-latest"))

    assert answer.status_code == 422
    assert "is an alias" in str(answer.context["form"].errors["provider_model_id"])
    assert not ModelVersion.objects.exists()


def test_a_fault_inside_a_column_is_shown_at_its_box(browse: As, endpoint: Endpoint) -> None:
    answer = browse("engineer").post("/models/new/", entry(training_commit="not hex"))

    assert "commit hash" in str(answer.context["form"].errors["training_commit"])


def test_an_endpoint_that_does_not_answer_is_not_saved_without_a_reason(
    browse: As, model_server: ModelServer
) -> None:
    client = browse("engineer")
    typed = {
        "name": "main",
        "protocol": "openai_http",
        "base_url": model_server.url,
        "allow_private": "on",
        "api_key": "sk-test-0123456789",
    }
    model_server.answer_with(401)
    refused = client.post("/endpoints/new/", typed)
    assert refused.status_code == 422
    assert "refuses this API key" in str(refused.context["form"].errors["base_url"])
    assert not Endpoint.objects.exists()

    client.post("/endpoints/new/", {**typed, "force": "on", "reason": "The key comes tomorrow."})
    assert b"The latest probe failed" not in client.get("/endpoints/").content
    page = client.get("/endpoints/main/").content.decode()
    assert "The latest probe failed" in page
    assert "sk-test" not in page
    assert "ends in 6789" in page

    model_server.answer_with(200)
    client.post("/endpoints/main/check/")
    assert "The latest probe failed" not in client.get("/endpoints/main/").content.decode()


def test_an_endpoint_is_changed_from_the_revision_that_was_seen(browse: As, endpoint: Endpoint) -> None:
    client = browse("engineer")
    typed = {"revision": 1, "base_url": endpoint.base_url, "allow_private": "on", "api_key": "sk-new"}

    client.post("/endpoints/main/", typed)
    endpoint.refresh_from_db()
    assert (endpoint.revision, endpoint.credential is not None) == (2, True)
    late = client.post("/endpoints/main/", {**typed, "api_key": "sk-other"})
    assert late.status_code == 422
    assert "was changed after you opened it" in late.content.decode()


def test_a_config_is_tried_then_published(browse: As) -> None:
    client = browse("engineer")
    trial = client.post("/configs/new/", config(action="try", sample_output="The root password is 1234."))
    assert trial.context["trial"].policy_hits == ("secrets",)
    assert not ServingConfigVersion.objects.exists()

    done = client.post("/configs/new/", config())

    assert done["Location"] == "/configs/calm/versions/1.0.0/"
    body = ServingConfigVersion.objects.get().body
    assert body["policy"]["banned"][1] == {"id": "open", "pattern": r"/0\.0\.0\.0/"}
    assert "calm" in client.get("/configs/").content.decode()
    assert client.get("/configs/new/", {"config": "calm"}).context["form"].initial["timeout_ms"] == 8000


def test_a_config_as_json_wins_and_faults_are_shown_at_the_fields(browse: As) -> None:
    client = browse("engineer")
    bad = client.post("/configs/new/", config(json_body='{"on_withdraw": "stable"}'))
    assert "template" in bad.context["form"].errors or "json_body" in bad.context["form"].errors
    slow = client.post("/configs/new/", config(banned="slow: /(a+)+b/"))
    assert "upper bound" in str(slow.context["form"].errors["banned"])
    unguarded = client.post("/configs/new/", config(template="Sorry {{ name }}"))
    assert "may be missing" in str(unguarded.context["form"].errors["template"])
    assert not ServingConfigVersion.objects.exists()


def test_lists_take_the_same_queries_however_long_they_are(
    cast: Cast, browse: As, endpoint: Endpoint, count_queries: Any
) -> None:
    engineer, project_id = cast.actor("engineer"), cast.project.id

    def add(number: int) -> None:
        models.register_model_version(
            actor=engineer, project_id=project_id, name=f"model-{number}", version="1.0.0", entry=HOSTED
        )
        configs.publish_config_version(
            actor=engineer, project_id=project_id, name=f"config-{number}", body=CONFIG
        )

    client = browse("auditor")
    add(0)
    for path in ("/models/", "/configs/", "/endpoints/"):
        client.get(path)
        with count_queries() as one:
            client.get(path)
        for number in range(1, 9):
            add(number) if path == "/models/" else None
        with count_queries() as many:
            client.get(path)
        assert len(many) == len(one) <= 12, path  # two of them count what waits behind the rail
