"""The management API of the inventory."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.console.inventory.pages import numbered_page
from promptstore.console.inventory.points import SORTS, STATES, points
from promptstore.console.inventory.serializers import InventoryOut, PointOut
from promptstore.console.inventory.views import read_filter
from promptstore.core.http.project_views import ProjectView

_API_PAGE = 200


class InventoryView(ProjectView):
    @extend_schema(
        operation_id="inventory_list",
        parameters=[
            OpenApiParameter(
                "text", str, description="Part of the name of a feature, prompt, model or owner."
            ),
            OpenApiParameter("environment", str),
            OpenApiParameter("state", str, enum=list(STATES)),
            OpenApiParameter("sort", str, description=f"One of {', '.join(SORTS)}; with `-` descending."),
            OpenApiParameter("cursor", str, description="The `next` of the page before."),
        ],
        responses=InventoryOut,
        tags=["inventory"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """Every point of inference: a feature in an environment, what answers there, who may call, when it was called."""
        found = points(project_id=self.project.id, wanted=read_filter(request.query_params))
        page = numbered_page(found, request.query_params.get("cursor", ""), size=_API_PAGE)
        shown = PointOut(page.rows, many=True).data
        return Response({"total": page.total, "next": page.next, "results": shown})
