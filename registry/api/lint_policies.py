from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView
from registry.models import LintPolicy
from registry.selectors.lint_policies import lint_policy
from registry.serializers.features import LintPolicySerializer, LintPolicyWriteSerializer
from registry.services.lint_policies import set_lint_policy


class LintPolicyDetail(ProjectView):
    @extend_schema(operation_id="lint_policy_get", responses=LintPolicySerializer, tags=["prompts"])
    def get(self, _request: Request, **_: Any) -> Response:
        """What the project asks of every prompt beyond the rules that always hold."""
        policy = lint_policy(project_id=self.project.id) or LintPolicy(revision=0)
        return with_etag(LintPolicySerializer(policy).data, policy.revision)

    @extend_schema(
        operation_id="lint_policy_set",
        parameters=[IF_MATCH],
        request=LintPolicyWriteSerializer,
        responses=LintPolicySerializer,
        tags=["prompts"],
    )
    def put(self, _request: Request, **_: Any) -> Response:
        """Replace the rules. `If-Match: "0"` where there were none."""
        policy = set_lint_policy(
            actor=self.actor,
            project_id=self.project.id,
            revision=revision_of(self.request),
            **self.read(LintPolicyWriteSerializer),
        )
        return with_etag(LintPolicySerializer(policy).data, policy.revision)
