"""The answers of two releases to the same calls, for comparison elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.pagination import NewestFirst
from promptstore.core.http.project_views import ProjectView, page_of
from releases.selectors.pairs import pair_rows, pairs_of
from releases.selectors.places import rollout_by_id
from releases.serializers.pairs import PairOut

MAX_LINES = 10_000
_SHAPES = ("json", "jsonl")


class PairsView(ProjectView):
    permission = "inference.read"

    @extend_schema(
        operation_id="rollouts_pairs",
        parameters=[
            OpenApiParameter("differing", bool, description="Only pairs that do not say the same."),
            OpenApiParameter(
                "as",
                str,
                enum=_SHAPES,
                description=f"`json` (default), in pages; `jsonl`, the newest {MAX_LINES:,} pairs, one a line.",
            ),
        ],
        responses=page_of(PairOut),
        tags=["rollouts"],
    )
    def get(self, request: Request, project: str, rollout_id: UUID) -> Any:  # noqa: ARG002
        """Of a share of the calls, what stable and the candidate answered, newest first."""
        rollout = rollout_by_id(project_id=self.project.pk, rollout_id=rollout_id)
        rows = pair_rows(rollout, differing=self.flag("differing"))
        shape = request.query_params.get("as", "json")
        if shape not in _SHAPES:
            raise InvalidInput(f"Use one of {', '.join(_SHAPES)}.", field="as")
        if shape == "jsonl":
            found = PairOut(pairs_of(rows[:MAX_LINES]), many=True).data
            lines = b"".join(JSONRenderer().render(one) + b"\n" for one in found)
            return HttpResponse(
                lines, content_type="application/x-ndjson", headers={"Cache-Control": "no-store"}
            )
        paginator = NewestFirst()
        page = paginator.paginate_queryset(rows, request, view=self) or []
        answer: Response = paginator.get_paginated_response(PairOut(pairs_of(page), many=True).data)
        return answer
