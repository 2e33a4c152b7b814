"""Every route of the management API, asked for another project's things with every kind of credential.

Routes come from the OpenAPI document, so a new one is covered from its first day; bodies are made from its schemas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from evals.services import publish_suite
from incidents.models import Incident
from incidents.services import open_incident
from incidents.services.channels import create_channel
from incidents.services.people import send_own_test
from incidents.services.preferences import save_preferences
from promptstore.core import keys
from promptstore.core.actors import system
from promptstore.core.clock import ManualClock
from promptstore.core.errors import NotFound
from promptstore.core.ids import uuid7
from promptstore.core.models import AuditEvent, Project
from promptstore.core.permissions import SCOPES
from providers.scripted import ScriptedServer
from registry.datasets import CaseContent, NewCase
from registry.models import Endpoint
from registry.services.cases import add_cases
from registry.services.datasets import create_dataset, freeze_dataset
from registry.services.scans import report_scan
from releases import services
from releases.models import Release, Rollout
from reviews.models import ReviewItem
from reviews.services import enqueue_samples
from telemetry.models import Inference
from tests.cast import Cast, make_cast
from tests.evals.suites.published import EXACT, suite_body
from tests.traffic import record
from tests.world import PLAN, World, make_world

# What schemas leave open, by the name of the member or parameter.
FILLED: dict[str, Any] = {"version": "1.0.0", "against": "1.0.0", "plan": PLAN}
# Names that every project has or makes for itself: here acme asks for its own.
OWN = {
    ("get", "/environments/{environment}/policy/"),
    ("put", "/environments/{environment}/policy/"),
    ("post", "/models/{name}/versions/"),
    ("post", "/configs/{name}/versions/"),
    ("post", "/configs/{name}/dry-run/"),
}
METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"{(\w+)}")


@cache
def document() -> Mapping[str, Any]:
    found: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def routes() -> list[tuple[str, str]]:
    return [
        (method, path)
        for path, offered in document()["paths"].items()
        if "{project}" in path
        for method in METHODS
        if method in offered
    ]


ALL = routes()
NESTED = [
    (method, path)
    for method, path in ALL
    if _PARAMETER.findall(path) != ["project"] and (method, path.partition("{project}")[2]) not in OWN
]


_SIMPLE: dict[str, Callable[[], Any]] = {
    "uuid": lambda: str(uuid7()),
    "date-time": lambda: "2026-03-01T09:00:00Z",
    "array": list,
    "boolean": lambda: True,
    "string": lambda: "x",
}


def example(schema: Mapping[str, Any]) -> Any:
    """A value that fits a schema well enough to get past its shape."""
    schema = resolved(schema)
    fixed = [schema["const"]] if "const" in schema else schema.get("enum", [])
    if fixed:
        return fixed[0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "object":
        needed = schema.get("required", [])
        return {
            name: FILLED.get(name) or example(part)
            for name, part in schema.get("properties", {}).items()
            if name in needed
        }
    return _SIMPLE[schema["format"] if schema.get("format") in _SIMPLE else kind]()


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference names, and the first of several."""
    while True:
        several = next((schema[many] for many in ("allOf", "oneOf", "anyOf") if many in schema), None)
        if several:
            schema = several[0]
        elif "$ref" in schema:
            schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            return schema


def body_of(method: str, path: str) -> Any:
    content = document()["paths"][path][method].get("requestBody", {}).get("content", {})
    return example(content["application/json"]["schema"]) if content else {}


def query_of(method: str, path: str) -> str:
    asked = document()["paths"][path][method].get("parameters", [])
    needed = {
        p["name"]: FILLED.get(p["name"], "x") for p in asked if p["in"] == "query" and p.get("required")
    }
    return f"?{urlencode(needed)}" if needed else ""


@dataclass
class Border:
    """Project acme, whose people and keys ask, and project umbrella, which has everything there is to ask for."""

    ours: Cast
    theirs: World
    names: Mapping[str, str]
    clients: Mapping[str, APIClient]

    def call(self, client: APIClient, method: str, path: str, *, project: str) -> Any:
        url = _PARAMETER.sub(lambda found: ({"project": project} | dict(self.names))[found[1]], path)
        url += query_of(method, path)
        options = {} if method == "get" else {"data": body_of(method, path), "format": "json"}
        return getattr(client, method)(url, headers={"If-Match": '"1"'}, **options)

    def secrets(self) -> list[str]:
        """What no answer to acme may contain: umbrella's ids and digests."""
        return [name for name in self.names.values() if len(name) > 30]


@pytest.fixture
def border(db: None, provider: ScriptedServer, clock: ManualClock, settings: Any) -> Border:
    ours, theirs = make_cast("acme"), make_world(make_cast("umbrella"), provider)
    rollout = theirs.roll_out()
    record(rollout, "candidate", 1)
    cast = theirs.cast
    incident = open_incident(
        actor=system("controller"), project_id=cast.project.id, environment_id=cast.production.id,
        feature_id=theirs.feature.id, title="Theirs", summary="Theirs alone.", severity="P1", dedup_key="x",
        rollout_id=rollout.id, release_digest=rollout.candidate.digest, evidence={},
    )  # fmt: skip
    settings.REVIEW_SHARE_BP = 10_000
    enqueue_samples()
    evidence = rollout.promotion.evidence.get()
    channel, _ = create_channel(
        actor=cast.actor("owner"), project_id=cast.project.id, name="assistant", kind="webhook",
        url="http://127.0.0.1:9/their-channel", allow_private=True,
    )  # fmt: skip
    dataset = create_dataset(actor=cast.actor("writer"), project_id=cast.project.id, name="assistant")
    case = NewCase(
        CaseContent(variables={"request": "Their secret request, long enough to tell."}), key="theirs"
    )
    add_cases(actor=cast.actor("writer"), dataset_id=dataset.id, cases=[case])
    frozen = freeze_dataset(actor=cast.actor("writer"), dataset_id=dataset.id)
    asked = suite_body(EXACT, dataset=str(frozen)) | {"name": "assistant"}
    suite = publish_suite(actor=cast.actor("writer"), project_id=cast.project.id, body=asked, version="1.0.0")
    scan = report_scan(
        actor=cast.actor("engineer"), project_id=cast.project.id, source="theirs", sites=[], files=1
    )
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True
    save_preferences(
        actor=cast.actor("owner"),
        project_id=cast.project.id,
        revision=0,
        webhook_url="http://127.0.0.9:9/their-own-webhook",
    )
    message = send_own_test(actor=cast.actor("owner"), project_id=cast.project.id, way="webhook")
    names = {
        "name": "assistant",
        "feature": theirs.feature.slug,
        "version": "1.0.0",
        "draft": str(theirs.prompt.drafts.get(name="main").id),
        "environment": "production",
        "reference": rollout.candidate.digest,
        "promotion_id": str(rollout.promotion_id),
        "rollout_id": str(rollout.id),
        "deployment_id": str(rollout.deployment_id),
        "incident_id": str(incident.id),
        "run_id": str(uuid7()),
        "inference_id": str(Inference.objects.get().id),
        "item_id": str(ReviewItem.objects.get().id),
        "key": "theirs",
        "dataset_digest": frozen.digest,
        "suite_digest": suite.digest,
        "digest": evidence.reports[0]["digest"],
        "message_id": message.message_id,
        "scan_id": str(scan.id),
        # In no path: what acme's own lists and choices must not show.
        "channel": str(channel.id),
        "their_webhook": "http://127.0.0.9:9/their-own-webhook",
        "their_destination": "http://127.0.0.9:9",
        "user": str(cast.users["approver"].id),
    }
    owner = ours.actor("owner")
    _, service = keys.create_service_key(
        actor=owner, environment=ours.production, name="service", scopes=list(SCOPES)
    )
    _, token = keys.create_personal_token(actor=owner, project_id=ours.project.id, name="token")
    session = APIClient()
    session.force_login(ours.users["owner"])
    return Border(
        ours=ours,
        theirs=theirs,
        names=names,
        clients={
            "session": session,
            "service key": APIClient(headers={"Authorization": f"Bearer {service}"}),
            "personal token": APIClient(headers={"Authorization": f"Bearer {token}"}),
        },
    )


def everything() -> dict[str, int]:
    """Rows per table, but for sessions."""
    with connection.cursor() as cursor:
        counted = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counted[table] = cursor.fetchone()[0]
    return counted


def test_every_parameter_of_a_path_is_known_to_this_walk(border: Border) -> None:
    asked = {name for _, path in ALL for name in _PARAMETER.findall(path)} - {"project"}
    assert asked <= border.names.keys(), "say which of umbrella's things fills it"
    assert len(ALL) > 60


def test_another_project_does_not_exist(border: Border) -> None:
    before = everything()
    found = [
        (who, method, path, answer.status_code, answer.json())
        for method, path in ALL
        for who, client in border.clients.items()
        if (answer := border.call(client, method, path, project="umbrella")).status_code != 404
    ]
    assert not found, "\n".join(map(str, found))
    assert everything() == before


def test_another_projects_things_are_not_found_in_ones_own(border: Border) -> None:
    before = everything()
    found = [
        (who, method, path, answer.status_code, answer.json())
        for method, path in NESTED
        # A service key that may not do a thing at all is told so before anything is looked for.
        for who, client in border.clients.items()
        if (answer := border.call(client, method, path, project="acme")).status_code
        not in ({404, 403} if who == "service key" else {404})
    ]
    assert not found, "\n".join(map(str, found))
    assert everything() == before


def test_what_acme_sees_contains_nothing_of_umbrella(border: Border) -> None:
    for method, path in ALL:
        if method != "get":
            continue
        for who, client in border.clients.items():
            text = border.call(client, "get", path, project="acme").content.decode()
            # A path may be repeated in an answer, as a problem's detail; a value of its own it must not be.
            assert not [secret for secret in border.secrets() if f'"{secret}"' in text], (who, path)


def test_an_unknown_and_a_foreign_project_answer_alike(border: Border) -> None:
    client = border.clients["session"]
    for method, path in ALL:
        foreign = border.call(client, method, path, project="umbrella").json()
        unknown = border.call(client, method, path, project="nowhere").json()
        assert {**foreign, "detail": foreign["detail"].replace("umbrella", "nowhere")} == unknown, path


def test_a_stranger_to_all_projects_is_asked_who_they_are(border: Border) -> None:
    for method, path in ALL:
        assert border.call(APIClient(), method, path, project="umbrella").status_code == 401, path


def post(border: Border, path: str, body: Any) -> Any:
    return border.clients["session"].post(f"/api/v1/projects/acme/{path}", body, format="json")


@pytest.fixture
def own_world(border: Border, provider: ScriptedServer) -> World:
    return make_world(border.ours, provider)


def test_a_release_of_another_project_is_not_promoted_here(border: Border, own_world: World) -> None:
    theirs = Release.objects.filter(project=border.theirs.cast.project).latest("id")
    for reference in (str(theirs.id), theirs.digest):
        body = {"release": reference, "environment": "production"}
        answer = post(border, "promotions/", body)
        assert answer.status_code in {400, 404, 422}, answer.json()
        assert answer.json()["field"] == "release"


def test_a_deployment_does_not_return_to_another_projects_release(border: Border, own_world: World) -> None:
    theirs = Release.objects.filter(project=border.theirs.cast.project).earliest("id")
    answer = post(
        border, f"deployments/{own_world.production.id}/return/", {"release": str(theirs.id), "reason": "x"}
    )
    assert answer.status_code in {404, 409, 400}
    assert own_world.production.stable_release_id != theirs.id


def test_a_model_does_not_use_another_projects_endpoint(border: Border) -> None:
    theirs = Endpoint.objects.get(project=border.theirs.cast.project)
    for reference in (theirs.name, str(theirs.id)):
        entry = {
            "version": "1.0.0", "kind": "hosted", "provider": "x", "provider_model_id": "x", "endpoint": reference,
            "snapshot_at": "2026-01-01T00:00:00Z", "context_tokens": 4096,
        }  # fmt: skip
        answer = post(border, "models/small/versions/", entry)
        assert answer.status_code in {400, 404, 422}, answer.json()


def test_a_stranger_is_not_appointed_as_approver(border: Border, own_world: World) -> None:
    stranger = border.theirs.cast.users["approver"]
    answer = post(border, f"features/{own_world.feature.slug}/approvers/", {"user": str(stranger.id)})
    assert answer.status_code in {400, 404, 422}, answer.content
    assert answer.json()["field"] == "user"


def test_services_do_not_find_another_projects_rows(border: Border) -> None:
    rollout = Rollout.objects.get()
    events = AuditEvent.objects.count()
    with pytest.raises(NotFound):
        services.roll_back(
            actor=border.ours.actor("owner"),
            project_id=border.ours.project.id,
            rollout_id=rollout.id,
            reason="x",
        )
    assert Incident.objects.get().state == "open"
    assert AuditEvent.objects.count() == events
    assert Project.objects.count() == 2
