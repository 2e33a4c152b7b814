"""The management API of notification channels; each view parses, makes one service call, and answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.secrets import SecretOnceView
from incidents.models import NotificationChannel
from incidents.selectors.channels import channel_detail, channels, deliveries, delivery_by_message_id
from incidents.serializers.channels import (
    ChannelChangeIn,
    ChannelIn,
    ChannelOut,
    ChannelSecretIn,
    ChannelWithSecretOut,
    DeliveryOut,
    ReplayIn,
)
from incidents.services.channels import create_channel, rotate_secret, send_test, update_channel
from incidents.services.deliveries import replay
from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView, page_of

TAGS = ["notification channels"]


class ChannelsView(SecretOnceView):
    @extend_schema(operation_id="notification_channels_list", responses=page_of(ChannelOut), tags=TAGS)
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's notification channels, newest first."""
        return self.page(channels(project_id=self.project.pk), ChannelOut)

    @extend_schema(
        operation_id="notification_channels_create",
        request=ChannelIn,
        responses={201: ChannelWithSecretOut},
        tags=TAGS,
    )
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """A new channel. A secret that is made for it is in this answer and in no other."""
        made, secret = create_channel(actor=self.actor, project_id=self.project.pk, **self.read(ChannelIn))
        return _with_secret(made, secret, status_code=201)


class ChannelView(ProjectView):
    def channel(self) -> NotificationChannel:
        return channel_detail(project_id=self.project.pk, name=self.kwargs["name"])

    @extend_schema(operation_id="notification_channels_read", responses=ChannelOut, tags=TAGS)
    def get(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """One channel; its revision is also the `ETag`."""
        found = self.channel()
        return with_etag(ChannelOut(found).data, found.revision)

    @extend_schema(
        operation_id="notification_channels_update",
        parameters=[IF_MATCH],
        request=ChannelChangeIn,
        responses=ChannelOut,
        tags=TAGS,
    )
    def patch(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """Change a channel, or switch it off and on. Switching off gives up the messages that still wait."""
        saved = update_channel(
            actor=self.actor,
            project_id=self.project.pk,
            channel_id=self.channel().pk,
            revision=revision_of(request),
            **self.read(ChannelChangeIn),
        )
        return with_etag(ChannelOut(saved).data, saved.revision)


class ChannelSecretView(SecretOnceView):
    @extend_schema(
        operation_id="notification_channels_rotate_secret",
        parameters=[IF_MATCH],
        request=ChannelSecretIn,
        responses=ChannelWithSecretOut,
        tags=TAGS,
    )
    def post(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """Replace the secret. Webhooks carry the signatures of both for a day."""
        found = channel_detail(project_id=self.project.pk, name=name)
        saved, secret = rotate_secret(
            actor=self.actor,
            project_id=self.project.pk,
            channel_id=found.pk,
            revision=revision_of(request),
            **self.read(ChannelSecretIn),
        )
        return _with_secret(saved, secret)


class ChannelTestView(ProjectView):
    @extend_schema(
        operation_id="notification_channels_test", request=None, responses={202: DeliveryOut}, tags=TAGS
    )
    def post(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """Send a test message; its delivery tells what came of it."""
        found = channel_detail(project_id=self.project.pk, name=name)
        owed = send_test(actor=self.actor, project_id=self.project.pk, channel_id=found.pk)
        return Response(DeliveryOut(owed).data, status=202)


class DeliveriesView(ProjectView):
    @extend_schema(operation_id="notification_channels_deliveries", responses=page_of(DeliveryOut), tags=TAGS)
    def get(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """The channel's messages, newest first."""
        found = channel_detail(project_id=self.project.pk, name=name)
        return self.page(deliveries(channel_id=found.pk), DeliveryOut)


class ReplayView(ProjectView):
    @extend_schema(
        operation_id="notification_channels_replay",
        request=ReplayIn,
        responses={202: DeliveryOut},
        tags=TAGS,
    )
    def post(self, request: Request, project: str, name: str) -> Response:  # noqa: ARG002
        """Send a finished message once more, with the same id and content."""
        found = channel_detail(project_id=self.project.pk, name=name)
        body = self.read(ReplayIn)
        delivery = delivery_by_message_id(channel_id=found.pk, message_id=body["message_id"])
        again = replay(actor=self.actor, project_id=self.project.pk, delivery_id=delivery.pk)
        return Response(DeliveryOut(again).data, status=202)


def _with_secret(channel: NotificationChannel, secret: str, *, status_code: int = 200) -> Response:
    data: dict[str, Any] = ChannelWithSecretOut({"channel": channel, "secret": secret}).data
    return with_etag(data, channel.revision, status_code=status_code)
