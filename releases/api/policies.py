from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView
from promptstore.core.selectors import environment_by_slug
from releases import services
from releases.selectors.policies import policy_in_force
from releases.selectors.policy_history import environments
from releases.serializers.policies import EnvironmentOut, PolicyIn, PolicyOut


class EnvironmentsView(ProjectView):
    @extend_schema(
        operation_id="environments_list", responses=EnvironmentOut(many=True), tags=["environments"]
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's environments in the order in which a release passes them."""
        return Response(EnvironmentOut(environments(self.project.pk), many=True).data)


class PolicyView(ProjectView):
    @extend_schema(operation_id="policy_read", responses=PolicyOut, tags=["environments"])
    def get(self, request: Request, project: str, environment: str) -> Response:  # noqa: ARG002
        """The policy in force; its number is the `ETag`."""
        place = environment_by_slug(project_id=self.project.pk, slug=environment)
        policy = policy_in_force(place)
        return with_etag(PolicyOut(policy).data, policy.number)

    @extend_schema(
        operation_id="policy_change",
        request=PolicyIn,
        responses=PolicyOut,
        parameters=[IF_MATCH],
        tags=["environments"],
    )
    def put(self, request: Request, project: str, environment: str) -> Response:  # noqa: ARG002
        """Put a new version of the policy in force; open promotions are checked anew under it.

        `If-Match: "0"` where there is none yet. 412 `stale_write` with `current_revision` and `saved_by` when somebody changed it
        in between.
        """
        place = environment_by_slug(project_id=self.project.pk, slug=environment)
        given = self.read(PolicyIn)
        if not isinstance(given["body"], Mapping):
            raise InvalidInput("body is a JSON object.", field="body")
        policy = services.change_policy(
            actor=self.actor,
            project_id=self.project.pk,
            environment_id=place.pk,
            body=given["body"],
            reason=given.get("reason", ""),
            expected_number=revision_of(request),
        )
        return with_etag(PolicyOut(policy).data, policy.number)
