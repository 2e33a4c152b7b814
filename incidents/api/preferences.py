"""The management API of a person's own notifications; each view parses, makes one service call, and answers."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.secrets import SecretOnceView
from incidents.selectors.people import messages_to, wishes_of
from incidents.serializers.preferences import OwnMessageOut, OwnTestIn, PreferencesIn, PreferencesOut
from incidents.services.people import own_id, replay_own, send_own_test
from incidents.services.preferences import rotate_own_secret, save_preferences
from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView, page_of

TAGS = ["notifications"]


class _OwnView(SecretOnceView):
    def wishes(self, *, secret: str = "") -> Response:
        found = wishes_of(project_id=self.project.pk, user_id=own_id(self.actor))
        return with_etag(PreferencesOut({**asdict(found), "secret": secret}).data, found.revision)


class PreferencesView(_OwnView):
    @extend_schema(operation_id="notification_preferences_read", responses=PreferencesOut, tags=TAGS)
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """What you are told of this project, and how; revision 0 is what is usual for your roles."""
        return self.wishes()

    @extend_schema(
        operation_id="notification_preferences_update",
        parameters=[IF_MATCH],
        request=PreferencesIn,
        responses=PreferencesOut,
        tags=TAGS,
    )
    def put(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Choose. A secret that is made for a first webhook is in this answer and in no other."""
        _, secret = save_preferences(
            actor=self.actor,
            project_id=self.project.pk,
            revision=revision_of(request),
            **self.read(PreferencesIn),
        )
        return self.wishes(secret=secret)


class OwnSecretView(_OwnView):
    @extend_schema(
        operation_id="notification_preferences_rotate_secret",
        parameters=[IF_MATCH],
        request=None,
        responses=PreferencesOut,
        tags=TAGS,
    )
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Replace the signing secret of your webhook at once."""
        _, secret = rotate_own_secret(
            actor=self.actor, project_id=self.project.pk, revision=revision_of(request)
        )
        return self.wishes(secret=secret)


class OwnTestView(ProjectView):
    @extend_schema(
        operation_id="notification_preferences_test",
        request=OwnTestIn,
        responses={202: OwnMessageOut},
        tags=TAGS,
    )
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Send yourself a test message; it is listed among your messages with what came of it."""
        owed = send_own_test(actor=self.actor, project_id=self.project.pk, **self.read(OwnTestIn))
        return Response(OwnMessageOut(owed).data, status=202)


class OwnMessagesView(ProjectView):
    @extend_schema(operation_id="notification_messages_list", responses=page_of(OwnMessageOut), tags=TAGS)
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """What was sent to you, newest first."""
        return self.page(messages_to(project_id=self.project.pk, user_id=own_id(self.actor)), OwnMessageOut)


class OwnReplayView(ProjectView):
    @extend_schema(
        operation_id="notification_messages_replay",
        request=None,
        responses={202: OwnMessageOut},
        tags=TAGS,
    )
    def post(self, request: Request, project: str, message_id: str) -> Response:  # noqa: ARG002
        """Send one of your finished messages once more, with the same id and content."""
        again = replay_own(actor=self.actor, project_id=self.project.pk, message_id=message_id)
        return Response(OwnMessageOut(again).data, status=202)
