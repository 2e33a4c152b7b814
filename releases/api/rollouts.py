from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from releases import services
from releases.selectors.places import rollout_by_id
from releases.selectors.rollouts import rollout_list, rollout_view
from releases.serializers.base import OptionalReasonIn, ReasonIn
from releases.serializers.rollouts import AdvanceIn, RollBackIn, RolloutDetailOut, RolloutOut

TAGS = ["rollouts"]


class RolloutsView(ProjectView):
    @extend_schema(
        operation_id="rollouts_list",
        parameters=[OpenApiParameter("live", bool, description="Only those that carry traffic.")],
        responses=page_of(RolloutOut),
        tags=TAGS,
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's rollouts, newest first."""
        return self.page(rollout_list(project_id=self.project.pk, live=self.flag("live")), RolloutOut)


class RolloutView(ProjectView):
    @extend_schema(operation_id="rollouts_read", responses=RolloutDetailOut, tags=TAGS)
    def get(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """State, step, weight, plan, measurements and decisions."""
        return Response(_detail(self, rollout_id))


class PauseView(ProjectView):
    @extend_schema(operation_id="rollouts_pause", request=ReasonIn, responses=RolloutDetailOut, tags=TAGS)
    def post(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """Hold the weight where it is; a breach still rolls back."""
        body = self.read(ReasonIn)
        services.pause_rollout(actor=self.actor, project_id=self.project.pk, rollout_id=rollout_id, **body)
        return Response(_detail(self, rollout_id))


class ResumeView(ProjectView):
    @extend_schema(
        operation_id="rollouts_resume", request=OptionalReasonIn, responses=RolloutDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """Go on."""
        body = self.read(OptionalReasonIn)
        services.resume_rollout(actor=self.actor, project_id=self.project.pk, rollout_id=rollout_id, **body)
        return Response(_detail(self, rollout_id))


class AdvanceView(ProjectView):
    @extend_schema(operation_id="rollouts_advance", request=AdvanceIn, responses=RolloutDetailOut, tags=TAGS)
    def post(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """Go to the next step now; refused until the canary has met its minimum."""
        body = self.read(AdvanceIn)
        services.advance_rollout(actor=self.actor, project_id=self.project.pk, rollout_id=rollout_id, **body)
        return Response(_detail(self, rollout_id))


class RollBackView(ProjectView):
    @extend_schema(
        operation_id="rollouts_roll_back", request=RollBackIn, responses=RolloutDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """Take the candidate back, in steps or at once."""
        body = self.read(RollBackIn)
        services.roll_back(actor=self.actor, project_id=self.project.pk, rollout_id=rollout_id, **body)
        return Response(_detail(self, rollout_id))


def _detail(view: ProjectView, rollout_id: UUID) -> Any:
    rollout = rollout_by_id(project_id=view.project.pk, rollout_id=rollout_id)
    return RolloutDetailOut(rollout_view(rollout)).data
