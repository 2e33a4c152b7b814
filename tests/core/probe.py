"""A view to aim requests at, and the helpers of the tests that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from promptstore.core.http.idempotency import IdempotentView
from tests.cast import Cast

PROMPTS = "/api/v1/projects/acme/prompts/"


class Message(serializers.Serializer[Any]):
    role = serializers.ChoiceField(["user", "system"])
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)


class Limits(serializers.Serializer[Any]):
    rate = serializers.IntegerField(min_value=1)


class Body(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    messages = Message(many=True)
    limits = Limits()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["name"] == "whole":
            raise serializers.ValidationError("The parts do not fit together.")
        return attrs


class Probe(IdempotentView):
    """What the requests below reach."""

    effects: int = 0
    act: Callable[[Request], Any] = staticmethod(lambda _: {})

    def post(self, request: Request) -> Response:
        Probe.effects += 1
        return Response(Probe.act(request), status=201)

    def get(self, request: Request) -> Response:
        return Response(Probe.act(request))


urlpatterns = [path("api/v1/probe/", Probe.as_view())]
on_probe = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def probe() -> None:
    Probe.effects, Probe.act = 0, staticmethod(lambda _: {"n": Probe.effects})


def does(act: Callable[[Request], Any]) -> None:
    Probe.act = staticmethod(act)


def refuses_with(error: Exception) -> None:
    def act(_: Request) -> Any:
        raise error

    does(act)


@pytest.fixture
def api(cast: Cast) -> APIClient:
    return signed_in(cast)


def signed_in(cast: Cast, role: str = "owner") -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(cast.users[role])
    return client


def post(client: APIClient, body: Any = None, *, key: str = "", url: str = "/api/v1/probe/") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    raw = body if isinstance(body, bytes) else None
    if raw is not None:
        return client.generic("POST", url, raw, content_type="application/json", headers=headers)  # type: ignore[arg-type] # bytes are fine
    return client.post(url, body if body is not None else {}, format="json", headers=headers)


def is_problem(response: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["code"], body.get("field")) == (
        status,
        status,
        code,
        field,
    )
    assert body["type"] == f"urn:promptstore:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return dict(body)
