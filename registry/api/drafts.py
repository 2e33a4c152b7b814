from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.prompts import PromptView
from registry.checks import as_dicts
from registry.drafting import lint_draft, preview_draft, propose_version
from registry.models import PromptDraft
from registry.selectors.prompts import draft_by_name, drafts, prompt_by_name, prompt_version
from registry.serializers import prompts as shapes
from registry.services.drafts import reopen_draft, save_draft
from registry.services.publishing import publish_version


class DraftView(PromptView):
    """A view below one draft."""

    def draft(self) -> PromptDraft:
        return draft_by_name(prompt=self.prompt(), name=self.kwargs["draft"])


class DraftList(ProjectView):
    @extend_schema(operation_id="drafts_list", responses=page_of(shapes.DraftSerializer), tags=["prompts"])
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """A prompt's drafts."""
        prompt = prompt_by_name(project_id=self.project.id, name=name)
        return self.page(drafts(prompt=prompt), shapes.DraftSerializer)


class DraftDetail(DraftView):
    @extend_schema(operation_id="drafts_get", responses=shapes.DraftSerializer, tags=["prompts"])
    def get(self, _request: Request, **_: Any) -> Response:
        """The working copy; its revision is also the `ETag`."""
        found = self.draft()
        return with_etag(shapes.DraftSerializer(found).data, found.revision)

    @extend_schema(
        operation_id="drafts_save",
        parameters=[IF_MATCH],
        request=shapes.DraftWriteSerializer,
        responses=shapes.DraftSerializer,
        tags=["prompts"],
    )
    def put(self, _request: Request, **_: Any) -> Response:
        """Save. 412 `stale_write` with `current_revision` and `saved_by` when somebody saved in between."""
        saved = save_draft(
            actor=self.actor,
            draft_id=self.draft().id,
            revision=revision_of(self.request),
            **self.read(shapes.DraftWriteSerializer),
        )
        return with_etag(shapes.DraftSerializer(saved).data, saved.revision)


class DraftLint(DraftView):
    @extend_schema(
        operation_id="drafts_lint",
        request=shapes.LintRequestSerializer,
        responses=shapes.LintResultSerializer,
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Check the draft, or the text in the body. Stores nothing."""
        found, sent = self.draft(), self.read(shapes.LintRequestSerializer)
        report = lint_draft(
            actor=self.actor,
            project_id=found.project_id,
            body=sent.get("body", found.body),
            example_inputs=sent.get("example_inputs", found.example_inputs),
        )
        return Response(
            {
                "findings": as_dicts(report.findings),
                "publishable": report.publishable,
                "template_tokens": report.template_tokens,
            }
        )


class DraftPreview(DraftView):
    @extend_schema(
        operation_id="drafts_preview",
        request=shapes.PreviewRequestSerializer,
        responses=shapes.PreviewResultSerializer,
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Render the draft, or the text in the body, with these variables. Stores nothing."""
        found, sent = self.draft(), self.read(shapes.PreviewRequestSerializer)
        rendered = preview_draft(
            actor=self.actor,
            project_id=found.project_id,
            body=sent.get("body", found.body),
            variables=sent["variables"],
        )
        return Response(shapes.PreviewResultSerializer(rendered).data)


class DraftProposal(DraftView):
    @extend_schema(operation_id="drafts_proposal", responses=shapes.ProposalSerializer, tags=["prompts"])
    def get(self, _request: Request, **_: Any) -> Response:
        """Which version publishing the draft now would make, and why."""
        found = self.draft()
        proposal = propose_version(actor=self.actor, prompt=found.prompt, body=found.body)
        return Response(shapes.ProposalSerializer(proposal).data)


class DraftPublish(DraftView):
    @extend_schema(
        operation_id="drafts_publish",
        parameters=[IF_MATCH],
        request=shapes.PublishSerializer,
        responses={201: shapes.VersionSerializer},
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Freeze the draft as the next version. 422 `lint_errors` lists what has to be fixed first."""
        found = self.draft()
        made = publish_version(
            actor=self.actor,
            draft_id=found.id,
            revision=revision_of(self.request),
            **self.read(shapes.PublishSerializer),
        )
        row = prompt_version(prompt=found.prompt, version=made.version)
        return Response(shapes.VersionSerializer(row).data, status=201)


class DraftReopen(DraftView):
    @extend_schema(
        operation_id="drafts_reopen",
        parameters=[IF_MATCH],
        request=shapes.ReopenSerializer,
        responses=shapes.DraftSerializer,
        tags=["prompts"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Start the draft over from a published version."""
        saved = reopen_draft(
            actor=self.actor,
            draft_id=self.draft().id,
            revision=revision_of(self.request),
            **self.read(shapes.ReopenSerializer),
        )
        return with_etag(shapes.DraftSerializer(saved).data, saved.revision)
