"""The management API of inferences: look-up and list."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from promptstore.core.selectors import environment_by_slug
from telemetry.events import Status
from telemetry.selectors import ARMS, inference_by_id, inference_list
from telemetry.serializers import InferenceDetailOut, InferenceOut

TAGS = ["inferences"]
FILTERS = [
    OpenApiParameter("environment", str),
    OpenApiParameter("feature", str),
    OpenApiParameter("arm", str, enum=ARMS),
    OpenApiParameter("status", str, enum=[status.value for status in Status]),
    OpenApiParameter("policy_hit", bool),
    OpenApiParameter("release_digest", str),
]
_FLAGS = {"": None, "true": True, "1": True, "false": False, "0": False}


class InferencesView(ProjectView):
    permission = "inference.read"

    @extend_schema(
        operation_id="inferences_list", parameters=FILTERS, responses=page_of(InferenceOut), tags=TAGS
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's inferences, newest first."""
        asked = request.query_params
        environment = asked.get("environment", "")
        place = environment_by_slug(project_id=self.project.pk, slug=environment) if environment else None
        rows = inference_list(
            project_id=self.project.pk,
            environment_id=place.pk if place else None,
            feature=asked.get("feature", ""),
            arm=_choice(request, "arm", ARMS),
            status=_choice(request, "status", tuple(Status)),
            policy_hit=_flag(request, "policy_hit"),
            release_digest=asked.get("release_digest", ""),
        )
        return self.page(rows, InferenceOut)


class InferenceView(ProjectView):
    permission = "inference.read"

    @extend_schema(operation_id="inferences_read", responses=InferenceDetailOut, tags=TAGS)
    def get(self, request: Request, project: str, inference_id: UUID) -> Response:  # noqa: ARG002
        """One inference by its id, with the release, prompt and model versions that made it."""
        found = inference_by_id(project_id=self.project.pk, inference_id=inference_id)
        return Response(InferenceDetailOut(found).data)


def _choice(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        raise InvalidInput(f"Use one of {', '.join(allowed)}.", field=name)
    return value


def _flag(request: Request, name: str) -> bool | None:
    try:
        return _FLAGS[request.query_params.get(name, "").lower()]
    except KeyError:
        raise InvalidInput("Use true or false.", field=name) from None
