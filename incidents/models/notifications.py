from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from incidents.models.incidents import Incident
from incidents.states import DeliveryState
from promptstore.core import clock
from promptstore.core.history import ChangeHistory
from promptstore.core.models import TenantModel


class NotificationChannel(TenantModel):
    """Where a project's incidents are told. The address often carries a secret, so it is sealed like one.

    `destination` is the address's origin, for people. `events` and `min_severity` say what it wants; a kind that mirrors the
    incident's state gets every event.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        PAGERDUTY = "pagerduty", "PagerDuty"
        ALERTMANAGER = "alertmanager", "Alertmanager"
        SLACK = "slack", "Slack"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    destination = models.CharField(max_length=300)
    sealed_url = models.BinaryField()
    sealed_secret = models.BinaryField(null=True)
    # The secret before the latest rotation: messages carry its signature too until then.
    sealed_previous_secret = models.BinaryField(null=True)
    previous_valid_until = models.DateTimeField(null=True)
    events = ArrayField(models.CharField(max_length=40), default=list)
    min_severity = models.CharField(
        max_length=2, choices=Incident.Severity.choices, default=Incident.Severity.P4
    )
    allow_private = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=200, default="")
    revision = models.PositiveIntegerField(default=1)
    history = ChangeHistory(excluded_fields=["sealed_url", "sealed_secret", "sealed_previous_secret"])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="channel_name_is_unique")]

    def __str__(self) -> str:
        return self.name


class Delivery(TenantModel):
    """One message to one channel or one person: what is sent, how often it was tried, what came back.

    Tests have no incident. What a person gets names the event `instance` it tells of, so that nobody is told twice of the same.
    """

    class Way(models.TextChoices):
        CHANNEL = "channel", "Channel"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Personal webhook"

    channel = models.ForeignKey(
        NotificationChannel, null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    recipient = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    way = models.CharField(
        max_length=10, choices=Way.choices, default=Way.CHANNEL, db_default=Way.CHANNEL.value
    )
    instance = models.UUIDField(null=True)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="deliveries")
    event = models.CharField(max_length=40)
    payload = models.JSONField()
    state = models.CharField(max_length=20, default=DeliveryState.PENDING)
    # Since the message was made or replayed; it is also the fence of the claim below.
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    claimed_until = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_detail = models.CharField(max_length=300, default="")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DeliveryState]),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(way="channel", channel__isnull=False, recipient__isnull=True)
                | models.Q(
                    way__in=["email", "webhook"],
                    channel__isnull=True,
                    recipient__isnull=False,
                    instance__isnull=False,
                ),
                name="delivery_goes_to_a_channel_or_a_person",
            ),
            models.UniqueConstraint(
                fields=["project", "recipient", "instance", "event", "way"],
                condition=models.Q(recipient__isnull=False),
                name="a_person_is_told_once_per_way",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="delivery_due", condition=models.Q(state="pending")
            ),
            models.Index(fields=["channel", "-id"], name="delivery_by_channel"),
            models.Index(
                fields=["project", "recipient", "-id"],
                name="delivery_by_person",
                condition=models.Q(recipient__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """What receivers recognise a repeated message by: the same for every attempt and replay, and without a dot."""
        return f"msg_{self.pk.hex}"
