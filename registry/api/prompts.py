from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.parameters import ARCHIVED, SEARCH
from registry.models import Prompt
from registry.selectors.prompts import prompt_by_name, prompts
from registry.serializers.prompts import PromptCreateSerializer, PromptSerializer, ReasonSerializer
from registry.services.prompts import archive_prompt, create_prompt, restore_prompt


class PromptView(ProjectView):
    """A view below one prompt."""

    def prompt(self) -> Prompt:
        return prompt_by_name(project_id=self.project.id, name=self.kwargs["name"])

    def shown(self, prompt: Prompt) -> dict[str, object]:
        rows = prompts(project_id=prompt.project_id, archived=prompt.archived_at is not None)
        return PromptSerializer(rows.get(pk=prompt.pk)).data


class PromptList(ProjectView):
    @extend_schema(
        operation_id="prompts_list",
        parameters=[SEARCH, ARCHIVED],
        responses=page_of(PromptSerializer),
        tags=["prompts"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """A project's prompts, newest first."""
        rows = prompts(
            project_id=self.project.id,
            search=request.query_params.get("search", ""),
            archived=self.flag("archived"),
        )
        return self.page(rows, PromptSerializer)

    @extend_schema(
        operation_id="prompts_create",
        request=PromptCreateSerializer,
        responses={201: PromptSerializer},
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """A new prompt with its draft `main`."""
        found = self.project
        made = create_prompt(actor=self.actor, project_id=found.id, **self.read(PromptCreateSerializer))
        return Response(PromptSerializer(prompts(project_id=found.id).get(pk=made.pk)).data, status=201)


class PromptDetail(PromptView):
    @extend_schema(operation_id="prompts_get", responses=PromptSerializer, tags=["prompts"])
    def get(self, _request: Request, **_: Any) -> Response:
        """One prompt."""
        return Response(self.shown(self.prompt()))


class PromptArchive(PromptView):
    @extend_schema(
        operation_id="prompts_archive", request=ReasonSerializer, responses=PromptSerializer, tags=["prompts"]
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Put a prompt away: new releases may not use it."""
        prompt = archive_prompt(actor=self.actor, prompt_id=self.prompt().id, **self.read(ReasonSerializer))
        return Response(self.shown(prompt))


class PromptRestore(PromptView):
    @extend_schema(operation_id="prompts_restore", request=None, responses=PromptSerializer, tags=["prompts"])
    def post(self, _request: Request, **_: Any) -> Response:
        """Take an archived prompt back into use."""
        return Response(self.shown(restore_prompt(actor=self.actor, prompt_id=self.prompt().id)))
