"""Features and who was appointed to sign off their releases."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput, NotFound
from promptstore.core.models import Membership
from promptstore.core.permissions import TABLE, require, roles_of
from registry.errors import NameTaken
from registry.models import Feature, FeatureApprover
from registry.names import check_name, check_text
from registry.services.access import get_for


@transaction.atomic
def create_feature(
    *,
    actor: Actor,
    project_id: UUID,
    slug: str,
    name: str,
    description: str = "",
    risk_class: str = Feature.Risk.LIMITED,
    owner_id: UUID | None = None,
) -> Feature:
    """A new point of inference. Raises `NameTaken`, `InvalidInput`, `NotAllowed`."""
    require(actor, "feature.manage", project_id=project_id)
    check_name(slug, field="slug")
    feature = Feature(project_id=project_id, slug=slug)
    _describe(feature, name, description, risk_class, owner_id or actor.user_id)
    try:
        with transaction.atomic():
            feature.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(
            f"A feature called “{slug}” exists already. Choose another name.", field="slug"
        ) from error
    audit.record(
        actor=actor, action="feature.created", target=feature, project_id=project_id, after=_facts(feature)
    )
    return feature


@transaction.atomic
def update_feature(
    *, actor: Actor, feature_id: UUID, name: str, description: str, risk_class: str, owner_id: UUID | None
) -> Feature:
    """Replace what is said about a feature; its slug stays."""
    get_for(actor, "feature.manage", Feature.objects.all(), feature_id)
    feature = Feature.objects.select_for_update().get(pk=feature_id)
    before = _facts(feature)
    _describe(feature, name, description, risk_class, owner_id)
    if _facts(feature) == before:
        return feature
    feature.save()
    audit.record(
        actor=actor,
        action="feature.changed",
        target=feature,
        project_id=feature.project_id,
        before=before,
        after=_facts(feature),
    )
    return feature


@transaction.atomic
def appoint_approver(*, actor: Actor, feature_id: UUID, user_id: UUID) -> FeatureApprover:
    """Let a member sign off this feature's releases. Owners appoint; the person needs a role that may approve."""
    feature = get_for(actor, "policy.manage", Feature.objects.all(), feature_id)
    roles = roles_of(user_id=user_id, project_id=feature.project_id)
    if not roles & TABLE["promotion.approve"]:
        raise InvalidInput(
            "Only members with the role approver or owner can be appointed.",
            field="user",
            code="not_an_approver",
        )
    try:
        with transaction.atomic():
            row = FeatureApprover.objects.create(
                project_id=feature.project_id, feature=feature, user_id=user_id
            )
    except IntegrityError as error:
        raise Conflict("This person is appointed already.", code="appointed", field="user") from error
    audit.record(
        actor=actor,
        action="approver.appointed",
        target=feature,
        project_id=feature.project_id,
        after={"user": str(user_id), "name": str(row.user)},
    )
    return row


@transaction.atomic
def dismiss_approver(*, actor: Actor, feature_id: UUID, user_id: UUID) -> None:
    """Take an appointment back. Votes already given are the promotion's business."""
    feature = get_for(actor, "policy.manage", Feature.objects.all(), feature_id)
    row = (
        FeatureApprover.objects.select_for_update(of=("self",))
        .filter(feature=feature, user_id=user_id)
        .first()
    )
    if row is None:
        raise NotFound("This person is not appointed.", field="user")
    audit.record(
        actor=actor,
        action="approver.dismissed",
        target=feature,
        project_id=feature.project_id,
        before={"user": str(user_id), "name": str(row.user)},
    )
    row.delete()


def _describe(feature: Feature, name: str, description: str, risk_class: str, owner_id: UUID | None) -> None:
    if risk_class not in Feature.Risk.values:
        raise InvalidInput(f"Use one of: {', '.join(Feature.Risk.values)}.", field="risk_class")
    if (
        owner_id is not None
        and not Membership.objects.filter(project_id=feature.project_id, user_id=owner_id).exists()
    ):
        raise InvalidInput("The owner must be a member of this project.", field="owner")
    feature.name = check_text(name, field="name", max_chars=120, required=True)
    feature.description = check_text(description, field="description")
    feature.risk_class = risk_class
    feature.owner_id = owner_id


def _facts(feature: Feature) -> dict[str, str]:
    return {
        "name": feature.name,
        "description": feature.description,
        "risk_class": feature.risk_class,
        "owner": str(feature.owner_id or ""),
    }
