from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.prompts import PromptView
from registry.comparisons import compare
from registry.models import PromptVersion
from registry.selectors.prompts import prompt_by_name, prompt_version, prompt_versions
from registry.serializers.prompts import (
    DiffSerializer,
    ReasonSerializer,
    VersionSerializer,
    VersionSummarySerializer,
)
from registry.services.publishing import withdraw_version


class VersionView(PromptView):
    """A view below one version."""

    def version(self) -> PromptVersion:
        return prompt_version(prompt=self.prompt(), version=self.kwargs["version"])


class VersionList(ProjectView):
    @extend_schema(
        operation_id="prompt_versions_list", responses=page_of(VersionSummarySerializer), tags=["prompts"]
    )
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """A prompt's versions, highest first."""
        prompt = prompt_by_name(project_id=self.project.id, name=name)
        return self.page(prompt_versions(prompt=prompt), VersionSummarySerializer)


class VersionDetail(VersionView):
    @extend_schema(operation_id="prompt_versions_get", responses=VersionSerializer, tags=["prompts"])
    def get(self, _request: Request, **_: Any) -> Response:
        """One immutable version."""
        return Response(VersionSerializer(self.version()).data)


class VersionWithdraw(VersionView):
    @extend_schema(
        operation_id="prompt_versions_withdraw",
        request=ReasonSerializer,
        responses=VersionSerializer,
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Keep new releases from using a version."""
        withdraw_version(actor=self.actor, version_id=self.version().id, **self.read(ReasonSerializer))
        return Response(VersionSerializer(self.version()).data)


class VersionDiff(VersionView):
    @extend_schema(
        operation_id="prompt_versions_diff",
        parameters=[
            OpenApiParameter(
                "against", OpenApiTypes.STR, required=True, description="The version to compare with."
            )
        ],
        responses=DiffSerializer,
        tags=["prompts"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """What changed since another version, word by word."""
        against = request.query_params.get("against", "")
        if not against:
            raise InvalidInput(
                "Say which version to compare with, for example ?against=1.0.0.", field="against"
            )
        new = self.version()
        old = prompt_version(prompt=new.prompt, version=against)
        found = compare(old.body, new.body)
        answer: dict[str, Any] = {
            "version": new.version,
            "against": old.version,
            "bump": found.bump.value,
            "reasons": found.reasons,
            **{
                part: getattr(found.diff, part)
                for part in ("messages", "input_schema", "output_schema", "tools", "params")
            },
        }
        return Response(DiffSerializer(answer).data)
