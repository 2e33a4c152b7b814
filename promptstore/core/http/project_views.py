"""What every view of the management API below `projects/{project}/` needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.actors import Actor
from promptstore.core.errors import NotFound
from promptstore.core.http.authentication import actor_of
from promptstore.core.http.idempotency import IdempotentView
from promptstore.core.http.pagination import NewestFirst
from promptstore.core.models import Project
from promptstore.core.permissions import allows, require
from promptstore.core.selectors import project_by_slug

Row = TypeVar("Row", bound=Model)


class Input(serializers.Serializer[Any]):
    """A JSON object with exactly the declared members: one that nobody reads is the caller's mistake."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(key) for key in data if key not in self.fields)
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError({unknown[0][:80]: f"Unknown member. Known are: {known}."})
        return super().to_internal_value(data)


class ProjectView(IdempotentView):
    """Sets `actor` and `project`. Strangers get 404, members without `permission` 403."""

    permission = "project.read"
    actor: Actor
    project: Project

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = actor_of(request)
        self.project = project_by_slug(kwargs["project"])
        if not allows(self.actor, "project.read", project_id=self.project.pk):
            raise NotFound(f"There is no project “{self.project.slug}”.", field="project")
        require(self.actor, self.permission, project_id=self.project.pk)

    def read(self, serializer: type[serializers.BaseSerializer[Any]]) -> dict[str, Any]:
        """The validated body; raises DRF's `ValidationError`, which becomes a problem document."""
        parsed = serializer(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        found: dict[str, Any] = parsed.validated_data
        return found

    def flag(self, name: str) -> bool:
        """Whether the query says yes to `name`."""
        return self.request.query_params.get(name, "").lower() in {"1", "true", "yes"}

    def page(self, rows: QuerySet[Row], serializer: type[serializers.BaseSerializer[Any]]) -> Response:
        """One cursor page, newest first."""
        paginator = NewestFirst()
        found = paginator.paginate_queryset(rows, self.request, view=self)
        return paginator.get_paginated_response(serializer(found, many=True).data)


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a cursor page of `serializer`."""
    return inline_serializer(
        name=f"{serializer.__name__.removesuffix('Out')}Page",
        fields={
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializer(many=True),
        },
    )
