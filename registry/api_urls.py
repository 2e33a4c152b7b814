"""The registry's part of `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from registry.api import (
    configs,
    dataset_cases,
    datasets,
    drafts,
    endpoints,
    features,
    lint_policies,
    models,
    prompt_versions,
    prompts,
    scans,
)

_draft = [
    path("", drafts.DraftDetail.as_view()),
    path("lint/", drafts.DraftLint.as_view()),
    path("preview/", drafts.DraftPreview.as_view()),
    path("proposal/", drafts.DraftProposal.as_view()),
    path("publish/", drafts.DraftPublish.as_view()),
    path("reopen/", drafts.DraftReopen.as_view()),
]
_prompt_version = [
    path("", prompt_versions.VersionDetail.as_view()),
    path("diff/", prompt_versions.VersionDiff.as_view()),
    path("withdraw/", prompt_versions.VersionWithdraw.as_view()),
]
_prompt: list[URLPattern | URLResolver] = [
    path("", prompts.PromptDetail.as_view()),
    path("archive/", prompts.PromptArchive.as_view()),
    path("restore/", prompts.PromptRestore.as_view()),
    path("drafts/", drafts.DraftList.as_view()),
    path("drafts/<str:draft>/", include(_draft)),
    path("versions/", prompt_versions.VersionList.as_view()),
    path("versions/<str:version>/", include(_prompt_version)),
]
_model = [
    path("", models.ModelDetail.as_view()),
    path("versions/", models.ModelVersionList.as_view()),
    path("versions/<str:version>/", models.ModelVersionDetail.as_view()),
]
_config = [
    path("", configs.ConfigDetail.as_view()),
    path("dry-run/", configs.ConfigDryRun.as_view()),
    path("versions/", configs.ConfigVersionList.as_view()),
    path("versions/<str:version>/", configs.ConfigVersionDetail.as_view()),
]
_dataset = [
    path("", datasets.DatasetDetail.as_view()),
    path("cases/", dataset_cases.CaseList.as_view()),
    path("cases/<str:key>/", dataset_cases.CaseDetail.as_view()),
    path("cases/<str:key>/remove/", dataset_cases.CaseRemove.as_view()),
    path("cases/<str:key>/restore/", dataset_cases.CaseRestore.as_view()),
    path("cases/<str:key>/erase/", dataset_cases.CaseErase.as_view()),
    path("versions/", datasets.DatasetVersionList.as_view()),
    path("versions/<str:version>/", datasets.DatasetVersionDetail.as_view()),
    path("import/", datasets.DatasetImport.as_view()),
    path("export/", datasets.DatasetExport.as_view()),
]
_project: list[URLPattern | URLResolver] = [
    path("prompts/", prompts.PromptList.as_view()),
    path("prompts/<str:name>/", include(_prompt)),
    path("models/", models.ModelList.as_view()),
    path("models/<str:name>/", include(_model)),
    path("endpoints/", endpoints.EndpointList.as_view()),
    path("endpoints/<str:name>/", endpoints.EndpointDetail.as_view()),
    path("endpoints/<str:name>/check/", endpoints.EndpointCheck.as_view()),
    path("configs/", configs.ConfigList.as_view()),
    path("configs/<str:name>/", include(_config)),
    path("datasets/", datasets.DatasetList.as_view()),
    path("datasets/<str:name>/", include(_dataset)),
    path("danger-cases/", dataset_cases.DangerCaseList.as_view()),
    path("features/", features.FeatureList.as_view()),
    path("features/<str:feature>/", features.FeatureDetail.as_view()),
    path("features/<str:feature>/approvers/", features.ApproverList.as_view()),
    path("features/<str:feature>/approvers/<uuid:user>/", features.ApproverDetail.as_view()),
    path("scans/", scans.ScanList.as_view()),
    path("scans/<uuid:scan_id>/", scans.ScanDetail.as_view()),
    path("lint-policy/", lint_policies.LintPolicyDetail.as_view()),
]

urlpatterns = [path("projects/<str:project>/", include(_project))]
