"""What waits behind the rail's entries, for the person who looks. One query each, because every page asks."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from incidents.models import Incident
from incidents.states import IncidentState
from promptstore.core import clock
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import Membership
from promptstore.core.permissions import TABLE, Role
from registry.models import FeatureApprover
from releases.models import Evidence, Promotion, Vote
from releases.selectors.policies import policy_of
from releases.states import PromotionState
from reviews.selectors import claimable

# More than this many waiting approvals are as good as uncounted.
MOST_LOOKED_AT = 100


def open_incidents(request: HttpRequest) -> int:
    """Incidents of the project that nobody has acknowledged."""
    project_id = cast("ProjectRequest", request).project.pk
    return Incident.objects.filter(project_id=project_id, state=IncidentState.OPEN).count()


def approvals_waiting(request: HttpRequest) -> int:
    """Promotions on which this person may vote and has not yet: the rules of `releases.services.votes`, in one query."""
    seen = cast("ProjectRequest", request)
    user_id = seen.actor.user_id
    if user_id is None:
        return 0
    rows = _awaiting(seen.project.pk, user_id)[:MOST_LOOKED_AT]
    return sum(_may_approve(row) and str(user_id) not in row.release.contributors for row in rows)


def reviews_waiting(request: HttpRequest) -> int:
    """Answers that this person may judge and that nobody is at."""
    seen = cast("ProjectRequest", request)
    user_id = seen.actor.user_id
    if user_id is None:
        return 0
    may_label = Membership.objects.filter(
        project_id=seen.project.pk,
        user_id=user_id,
        user__is_active=True,
        roles__overlap=[role.value for role in TABLE["review.label"]],
    )
    waiting = claimable(project_id=seen.project.pk, user_id=user_id, now=clock.now())
    return waiting.filter(Exists(may_label)).order_by()[:MOST_LOOKED_AT].count()


def _awaiting(project_id: UUID, user_id: UUID) -> QuerySet[Any]:
    evidence = Evidence.objects.filter(
        promotion=OuterRef(OuterRef("pk")), check_round=OuterRef(OuterRef("check_round"))
    )
    voted = Vote.objects.filter(
        promotion=OuterRef("pk"),
        user_id=user_id,
        choice=Vote.Choice.APPROVE,
        release_digest=OuterRef("release__digest"),
        policy_digest=OuterRef("policy__digest"),
        plan_digest=OuterRef("plan_digest"),
        evidence_digest__in=evidence.values("digest"),
    )
    appointed = FeatureApprover.objects.filter(feature_id=OuterRef("deployment__feature_id"), user_id=user_id)
    roles = Membership.objects.filter(project_id=project_id, user_id=user_id, user__is_active=True)
    return (
        Promotion.objects.filter(project_id=project_id, state=PromotionState.AWAITING_APPROVAL)
        .exclude(requested_by_id=user_id)
        .exclude(Exists(voted))
        .select_related("release", "policy__environment")
        .annotate(my_roles=Subquery(roles.values("roles")[:1]), am_appointed=Exists(appointed))
        .order_by("-id")
    )


def _may_approve(row: Any) -> bool:
    roles = frozenset(Role(role) for role in row.my_roles or ())
    return bool(roles) and (row.am_appointed or bool(roles & policy_of(row.policy).approver_roles))
