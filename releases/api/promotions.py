from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from promptstore.core.selectors import environment_by_slug
from releases import services
from releases.selectors.places import find_release, promotion_by_id
from releases.selectors.promotions import promotion_list, promotion_view
from releases.serializers.base import NothingIn, OptionalReasonIn, ReasonIn
from releases.serializers.promotions import ApproveIn, PlanIn, PromotionDetailOut, PromotionIn, PromotionOut

TAGS = ["promotions"]
FILTERS = [
    OpenApiParameter("state", str, description="A state, or `open` for what is not decided yet."),
    OpenApiParameter("environment", str),
    OpenApiParameter("feature", str),
]


class PromotionsView(ProjectView):
    @extend_schema(
        operation_id="promotions_list", parameters=FILTERS, responses=page_of(PromotionOut), tags=TAGS
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's promotions, newest first."""
        wanted = {name: request.query_params.get(name, "") for name in ("state", "environment", "feature")}
        return self.page(promotion_list(project_id=self.project.pk, **wanted), PromotionOut)

    @extend_schema(
        operation_id="promotions_request", request=PromotionIn, responses={201: PromotionDetailOut}, tags=TAGS
    )
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Ask to bring a release to an environment; its checks begin at once."""
        body = self.read(PromotionIn)
        release = find_release(
            project_id=self.project.pk, reference=body["release"], feature=body.get("feature", "")
        )
        environment = environment_by_slug(project_id=self.project.pk, slug=body["environment"])
        promotion = services.request_promotion(
            actor=self.actor,
            project_id=self.project.pk,
            release_id=release.pk,
            environment_id=environment.pk,
            reason=body.get("reason", ""),
            plan=_plan(body) if "plan" in body else None,
        )
        return Response(_detail(self, promotion.pk), status=201)


class PromotionView(ProjectView):
    @extend_schema(operation_id="promotions_read", responses=PromotionDetailOut, tags=TAGS)
    def get(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """One promotion: gates, votes, plan, whose turn it is."""
        return Response(_detail(self, promotion_id))


class ApproveView(ProjectView):
    @extend_schema(
        operation_id="promotions_approve", request=ApproveIn, responses=PromotionDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """Vote for a promotion, bound to the digests that were looked at."""
        body = self.read(ApproveIn)
        services.approve_promotion(
            actor=self.actor, project_id=self.project.pk, promotion_id=promotion_id, **body
        )
        return Response(_detail(self, promotion_id))


class RejectView(ProjectView):
    @extend_schema(
        operation_id="promotions_reject", request=ReasonIn, responses=PromotionDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """Refuse a promotion; one rejection is enough."""
        body = self.read(ReasonIn)
        services.reject_promotion(
            actor=self.actor, project_id=self.project.pk, promotion_id=promotion_id, **body
        )
        return Response(_detail(self, promotion_id))


class CancelView(ProjectView):
    @extend_schema(
        operation_id="promotions_cancel", request=OptionalReasonIn, responses=PromotionDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """Call a promotion off before it reaches traffic."""
        body = self.read(OptionalReasonIn)
        services.cancel_promotion(
            actor=self.actor,
            project_id=self.project.pk,
            promotion_id=promotion_id,
            reason=body.get("reason", ""),
        )
        return Response(_detail(self, promotion_id))


class RecheckView(ProjectView):
    @extend_schema(
        operation_id="promotions_recheck", request=NothingIn, responses=PromotionDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """Run the gates again."""
        self.read(NothingIn)
        services.recheck_promotion(actor=self.actor, project_id=self.project.pk, promotion_id=promotion_id)
        return Response(_detail(self, promotion_id))


class PlanView(ProjectView):
    @extend_schema(operation_id="promotions_plan", request=PlanIn, responses=PromotionDetailOut, tags=TAGS)
    def post(self, request: Request, project: str, promotion_id: UUID) -> Response:  # noqa: ARG002
        """Replace the plan before the rollout starts; approvals for the old one no longer count."""
        body = self.read(PlanIn)
        services.change_plan(
            actor=self.actor,
            project_id=self.project.pk,
            promotion_id=promotion_id,
            plan=_plan(body),
            reason=body["reason"],
        )
        return Response(_detail(self, promotion_id))


def _detail(view: ProjectView, promotion_id: UUID) -> Any:
    promotion = promotion_by_id(project_id=view.project.pk, promotion_id=promotion_id)
    return PromotionDetailOut(promotion_view(view.actor, promotion)).data


def _plan(body: dict[str, Any]) -> dict[str, Any]:
    plan = body["plan"]
    if not isinstance(plan, dict):
        raise InvalidInput("plan is a JSON object with steps.", field="plan")
    return plan
