"""The management API of the review queue; each view parses, makes one service call, and answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from promptstore.core.permissions import allows
from reviews import selectors, services
from reviews.serializers.reviews import (
    ArmLabelsOut,
    ClaimedIn,
    ClaimedOut,
    HeartbeatOut,
    ReviewEscalateIn,
    ReviewItemDetailOut,
    ReviewItemOut,
    ReviewLabelIn,
    ReviewSettleIn,
    ReviewSkipIn,
    ReviewSubmittedOut,
    ReviewSummaryOut,
)
from reviews.states import ReviewState

TAGS = ["reviews"]
STATES = [state.value for state in ReviewState]
FILTERS = [OpenApiParameter("state", str, enum=STATES), OpenApiParameter("feature", str)]


class ReviewItemsView(ProjectView):
    permission = "review.read"

    @extend_schema(
        operation_id="reviews_list", parameters=FILTERS, responses=page_of(ReviewItemOut), tags=TAGS
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's review items, newest first, without their texts."""
        asked = request.query_params
        if asked.get("state") and asked["state"] not in STATES:
            raise InvalidInput(f"Use one of {', '.join(STATES)}.", field="state")
        rows = selectors.item_list(
            project_id=self.project.pk, state=asked.get("state", ""), feature=asked.get("feature", "")
        )
        return self.page(rows, ReviewItemOut)


class ReviewSummaryView(ProjectView):
    permission = "review.read"

    @extend_schema(operation_id="reviews_summary", responses=ReviewSummaryOut, tags=TAGS)
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """How the queue stands: items by state, the caller's day, and how far people agree."""
        project_id, user_id = self.project.pk, self.actor.user_id
        rubric = selectors.rubric_shown(project_id=project_id)
        questions = [question["id"] for question in rubric.questions]
        decides = allows(self.actor, "review.settle", project_id=project_id)
        found = {
            "counts": selectors.queue_counts(project_id=project_id),
            "today": selectors.day_of(project_id=project_id, user_id=user_id) if user_id else None,
            "agreement": selectors.agreement(project_id=project_id, questions=questions),
            "pairs": selectors.pairs(project_id=project_id, questions=questions) if decides else [],
        }
        return Response(ReviewSummaryOut(found).data)


class ReviewClaimView(ProjectView):
    permission = "review.label"

    @extend_schema(operation_id="reviews_claim", request=None, responses=ClaimedOut, tags=TAGS)
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Claim the next answer to judge, or get the one that the caller holds."""
        return _claimed(services.claim_next(actor=self.actor, project_id=self.project.pk))


class ReviewHeartbeatView(ProjectView):
    permission = "review.label"

    @extend_schema(operation_id="reviews_heartbeat", request=ClaimedIn, responses=HeartbeatOut, tags=TAGS)
    def post(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """Extend the lease."""
        body = self.read(ClaimedIn)
        until = services.heartbeat(actor=self.actor, project_id=self.project.pk, item_id=item_id, **body)
        return Response(HeartbeatOut({"expires_at": until}).data)


class ReviewLabelView(ProjectView):
    permission = "review.label"

    @extend_schema(
        operation_id="reviews_label", request=ReviewLabelIn, responses=ReviewSubmittedOut, tags=TAGS
    )
    def post(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """Label the claimed answer; with `claim_another`, claim the next in the same transaction."""
        body = self.read(ReviewLabelIn)
        submitted = services.submit_label(
            actor=self.actor, project_id=self.project.pk, item_id=item_id, **body
        )
        return Response(ReviewSubmittedOut(submitted).data)


class ReviewSkipView(ProjectView):
    permission = "review.label"

    @extend_schema(operation_id="reviews_skip", request=ReviewSkipIn, responses=ClaimedOut, tags=TAGS)
    def post(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """Pass the claimed answer on to others."""
        body = self.read(ReviewSkipIn)
        return _claimed(
            services.skip_item(actor=self.actor, project_id=self.project.pk, item_id=item_id, **body)
        )


class ReviewEscalateView(ProjectView):
    permission = "review.label"

    @extend_schema(operation_id="reviews_escalate", request=ReviewEscalateIn, responses=ClaimedOut, tags=TAGS)
    def post(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """Hand the claimed answer to who may settle."""
        body = self.read(ReviewEscalateIn)
        return _claimed(
            services.escalate_item(actor=self.actor, project_id=self.project.pk, item_id=item_id, **body)
        )


class ReviewItemView(ProjectView):
    permission = "review.settle"

    @extend_schema(operation_id="reviews_read", responses=ReviewItemDetailOut, tags=TAGS)
    def get(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """One item for who may settle it."""
        return Response(_detail(self, item_id))


class ReviewSettleView(ProjectView):
    permission = "review.settle"

    @extend_schema(
        operation_id="reviews_settle", request=ReviewSettleIn, responses=ReviewItemDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, item_id: UUID) -> Response:  # noqa: ARG002
        """Decide an escalated item, or one that everybody skipped."""
        body = self.read(ReviewSettleIn)
        services.settle_item(actor=self.actor, project_id=self.project.pk, item_id=item_id, **body)
        return Response(_detail(self, item_id))


class RolloutLabelsView(ProjectView):
    permission = "review.compare"

    @extend_schema(operation_id="reviews_rollout_labels", responses=ArmLabelsOut(many=True), tags=TAGS)
    def get(self, request: Request, project: str, rollout_id: UUID) -> Response:  # noqa: ARG002
        """What people found on each arm of a rollout, with 95 % intervals."""
        found = selectors.label_rates(project_id=self.project.pk, rollout_id=rollout_id)
        return Response(ArmLabelsOut(found, many=True).data)


def _claimed(claim: Any) -> Response:
    return Response(ClaimedOut({"claim": claim}).data)


def _detail(view: ProjectView, item_id: UUID) -> Any:
    item = selectors.item_by_id(project_id=view.project.pk, item_id=item_id)
    return ReviewItemDetailOut({"item": item, "labels": selectors.labels_of(item)}).data
