from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.actors import Actor
from promptstore.core.http.authentication import actor_of
from promptstore.core.http.idempotency import IdempotentView
from promptstore.core.http.pagination import NewestFirst
from promptstore.core.models import Project
from releases.selectors.places import visible_project

Row = TypeVar("Row", bound=Model)


class ProjectView(IdempotentView):
    """A view below `projects/{project}/`: `actor` and `project` are set, and strangers got 404."""

    actor: Actor
    project: Project

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = actor_of(request)
        self.project = visible_project(self.actor, kwargs["project"])

    def read(self, serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
        """The validated body; raises DRF's `ValidationError`, which becomes a problem document."""
        parsed = serializer(data=request.data)
        parsed.is_valid(raise_exception=True)
        found: dict[str, Any] = parsed.validated_data
        return found

    def page(
        self, rows: QuerySet[Row], serializer: type[serializers.Serializer[Any]], request: Request
    ) -> Response:
        """One cursor page, newest first."""
        paginator = NewestFirst()
        found = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(serializer(found, many=True).data)


def page_of(serializer: type[serializers.Serializer[Any]]) -> Any:
    """The schema of a cursor page of `serializer`."""
    name = serializer.__name__.removesuffix("Out")
    return inline_serializer(
        name=f"{name}Page",
        fields={
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializer(many=True),
        },
    )
