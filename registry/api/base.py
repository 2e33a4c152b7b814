"""What every view of the registry shares: who asks, for which project, at which revision."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput, NotFound
from promptstore.core.http.authentication import actor_of
from promptstore.core.http.idempotency import IdempotentView
from promptstore.core.models import Project
from promptstore.core.permissions import allows
from promptstore.core.selectors import project_by_slug

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="The revision that the change is based on, as the `ETag` of the answer that showed it.",
)
SEARCH = OpenApiParameter("search", OpenApiTypes.STR, description="Part of a name or description.")
ARCHIVED = OpenApiParameter("archived", OpenApiTypes.BOOL, description="Only what was archived.")

_REVISION = re.compile(r'(?:W/)?"?(\d{1,9})"?')


class RegistryView(IdempotentView):
    """A view below `/projects/{project}/`."""

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def project(self) -> Project:
        """The project in the path. To those who may not read it, it does not exist."""
        slug = self.kwargs["project"]
        project = project_by_slug(slug)
        if not allows(self.actor, "project.read", project_id=project.id):
            raise NotFound(f"There is no project “{slug}”.", field="project")
        return project

    def revision(self) -> int:
        """The revision in `If-Match`. Raises 428 where it is missing."""
        header = self.request.headers.get("If-Match", "").strip()
        if not header:
            raise InvalidInput(
                "Send If-Match with the ETag that you read, so that nobody's change is overwritten.",
                code="precondition_required",
                field="If-Match",
                status=status.HTTP_428_PRECONDITION_REQUIRED,
            )
        match = _REVISION.fullmatch(header)
        if match is None:
            raise InvalidInput('If-Match is a revision, such as "5".', field="If-Match")
        return int(match[1])

    def read(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The checked request body."""
        reader = serializer(data=self.request.data)
        reader.is_valid(raise_exception=True)
        found: dict[str, Any] = reader.validated_data
        return found

    def flag(self, name: str) -> bool:
        return self.request.query_params.get(name, "").lower() in {"1", "true", "yes"}


class RegistryListView(RegistryView, GenericAPIView[Any]):
    """A view whose GET is a cursor-paginated list."""

    def page_of(self, rows: Any, serializer: type[BaseSerializer[Any]]) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)


def with_etag(data: Any, revision: int, *, status_code: int = 200) -> Response:
    """An answer that carries the revision as a strong ETag."""
    return Response(data, status=status_code, headers={"ETag": f'"{revision}"'})
