"""What the management API takes and gives for reviews. Nothing given to who labels tells the arm."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.fields import ObjectField, PersonField
from promptstore.core.http.project_views import Input
from reviews.services.labels import MAX_TEXT
from reviews.states import SkipReason

_MAX_FENCE = (1 << 31) - 1


class ClaimedIn(Input):
    fence = serializers.IntegerField(min_value=1, max_value=_MAX_FENCE)


class ReviewLabelIn(ClaimedIn):
    rubric = serializers.IntegerField(min_value=1, max_value=_MAX_FENCE)
    answers = ObjectField()
    comment = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)
    claim_another = serializers.BooleanField(required=False)


class ReviewSkipIn(ClaimedIn):
    reason = serializers.ChoiceField([reason.value for reason in SkipReason], required=False)
    claim_another = serializers.BooleanField(required=False)


class ReviewEscalateIn(ClaimedIn):
    reason = serializers.CharField(max_length=MAX_TEXT)
    claim_another = serializers.BooleanField(required=False)


class ReviewSettleIn(Input):
    answers = ObjectField()
    reason = serializers.CharField(max_length=MAX_TEXT)


class RubricOut(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    questions = serializers.ListField(child=serializers.DictField())


class ClaimOut(serializers.Serializer[Any]):
    """An answer to judge. Send `fence` with everything about it, and the rubric's version with the label."""

    id = serializers.UUIDField(source="item_id")
    feature = serializers.CharField()
    variables = serializers.JSONField(allow_null=True)
    output = serializers.CharField()
    fence = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    rubric = RubricOut()


class ClaimedOut(serializers.Serializer[Any]):
    """`claim` is null where nothing waits for this person."""

    claim = ClaimOut(allow_null=True)


class HeartbeatOut(serializers.Serializer[Any]):
    """`expires_at` is null where the caller's label is there already."""

    expires_at = serializers.DateTimeField(allow_null=True)


class ReviewLabelOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    rubric = serializers.IntegerField(source="rubric.version")
    answers = serializers.DictField(child=serializers.CharField())
    comment = serializers.CharField()
    content_digest = serializers.CharField()
    took_ms = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ReviewSubmittedOut(serializers.Serializer[Any]):
    given = ReviewLabelOut(source="label")
    claim = ClaimOut(source="next", allow_null=True)


class ReviewItemOut(serializers.Serializer[Any]):
    """An item in a list."""

    id = serializers.UUIDField()
    feature = serializers.CharField(source="feature.slug")
    environment = serializers.CharField(source="environment.slug")
    state = serializers.CharField()
    overlap = serializers.IntegerField()
    sampled_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class GivenLabelOut(ReviewLabelOut):
    annotator = PersonField()


class WholeReviewItemOut(ReviewItemOut):
    """An item with its texts and how it was decided."""

    variables = serializers.JSONField(allow_null=True)
    output = serializers.CharField()
    escalated_because = serializers.CharField()
    verdict = serializers.DictField(child=serializers.CharField(), allow_null=True)
    settled_by = PersonField()
    settled_because = serializers.CharField()


class ReviewItemDetailOut(serializers.Serializer[Any]):
    """For who may settle. Labels are there once nobody is asked any more."""

    item = WholeReviewItemOut()
    labels = GivenLabelOut(many=True)


class AgreementOut(serializers.Serializer[Any]):
    """`value` is null where it is not defined; `why` says why."""

    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    why = serializers.CharField()


class QuestionAgreementOut(serializers.Serializer[Any]):
    question = serializers.CharField()
    share = AgreementOut()
    alpha = AgreementOut()


class PairAgreementOut(serializers.Serializer[Any]):
    question = serializers.CharField()
    first = serializers.CharField()
    second = serializers.CharField()
    kappa = AgreementOut()


class DayOut(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    waiting = serializers.IntegerField()


class ReviewSummaryOut(serializers.Serializer[Any]):
    """`today` is null for keys; `pairs` is there for who may settle."""

    counts = serializers.DictField(child=serializers.IntegerField())
    today = DayOut(allow_null=True)
    agreement = QuestionAgreementOut(many=True)
    pairs = PairAgreementOut(many=True)


class IntervalOut(serializers.Serializer[Any]):
    estimate = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()


class LabelRateOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    hits = serializers.IntegerField()
    n = serializers.IntegerField()
    interval = IntervalOut(allow_null=True)


class ArmLabelsOut(serializers.Serializer[Any]):
    arm = serializers.CharField()
    sampled = serializers.IntegerField()
    settled = serializers.IntegerField()
    rates = LabelRateOut(many=True)
