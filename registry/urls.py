"""The registry's pages."""

from __future__ import annotations

from django.urls import path

from registry.views import (
    configs,
    coverage,
    dataset_cases,
    datasets,
    editor,
    endpoints,
    features,
    lint_policies,
    models,
    prompts,
    publishing,
    versions,
)

app_name = "registry"

urlpatterns = [
    path("prompts/", prompts.prompt_list, name="prompt_list"),
    path("prompts/new/", prompts.prompt_create, name="prompt_create"),
    path("prompts/<str:name>/", prompts.prompt_detail, name="prompt_detail"),
    path("prompts/<str:name>/edit/", editor.prompt_editor, name="prompt_editor"),
    path("prompts/<str:name>/edit/autosave/", editor.prompt_autosave, name="prompt_autosave"),
    path("prompts/<str:name>/publish/", publishing.prompt_publish, name="prompt_publish"),
    path("prompts/<str:name>/reopen/", publishing.prompt_reopen, name="prompt_reopen"),
    path("prompts/<str:name>/archive/", prompts.prompt_archive, name="prompt_archive"),
    path("prompts/<str:name>/restore/", prompts.prompt_restore, name="prompt_restore"),
    path("prompts/<str:name>/diff/", versions.prompt_diff, name="prompt_diff"),
    path("prompts/<str:name>/versions/<str:version>/", versions.prompt_version_page, name="prompt_version"),
    path(
        "prompts/<str:name>/versions/<str:version>/withdraw/",
        publishing.prompt_withdraw,
        name="prompt_withdraw",
    ),
    path("prompt-rules/", lint_policies.lint_policy_edit, name="lint_policy"),
    path("models/", models.model_list, name="model_list"),
    path("models/new/", models.model_register, name="model_register"),
    path("models/<str:name>/", models.model_detail, name="model_detail"),
    path("models/<str:name>/versions/<str:version>/", models.model_version_page, name="model_version"),
    path("endpoints/", endpoints.endpoint_list, name="endpoint_list"),
    path("endpoints/new/", endpoints.endpoint_create, name="endpoint_create"),
    path("endpoints/<str:name>/", endpoints.endpoint_detail, name="endpoint_detail"),
    path("endpoints/<str:name>/check/", endpoints.endpoint_check, name="endpoint_check"),
    path("configs/", configs.config_list, name="config_list"),
    path("configs/new/", configs.config_publish, name="config_publish"),
    path("configs/<str:name>/", configs.config_detail, name="config_detail"),
    path("configs/<str:name>/versions/<str:version>/", configs.config_version_page, name="config_version"),
    path("datasets/", datasets.dataset_list, name="dataset_list"),
    path("datasets/new/", datasets.dataset_create, name="dataset_create"),
    path("datasets/<str:name>/", datasets.dataset_detail, name="dataset_detail"),
    path("datasets/<str:name>/freeze/", datasets.dataset_freeze, name="dataset_freeze"),
    path("datasets/<str:name>/import/", datasets.dataset_import, name="dataset_import"),
    path("datasets/<str:name>/export.<str:ending>", datasets.dataset_export, name="dataset_export"),
    path(
        "datasets/<str:name>/versions/<str:version>/", datasets.dataset_version_page, name="dataset_version"
    ),
    path("datasets/<str:name>/cases/new/", dataset_cases.case_create, name="case_create"),
    path("datasets/<str:name>/cases/<str:key>/", dataset_cases.case_detail, name="case_detail"),
    path("datasets/<str:name>/cases/<str:key>/change/", dataset_cases.case_change, name="case_change"),
    path("datasets/<str:name>/cases/<str:key>/remove/", dataset_cases.case_remove, name="case_remove"),
    path("datasets/<str:name>/cases/<str:key>/restore/", dataset_cases.case_restore, name="case_restore"),
    path("datasets/<str:name>/cases/<str:key>/erase/", dataset_cases.case_erase, name="case_erase"),
    path("danger-cases/add/", dataset_cases.danger_case_add, name="danger_case_add"),
    path("inventory/coverage/", coverage.coverage_page, name="coverage"),
    path("inventory/coverage/<uuid:scan_id>/", coverage.scan_page, name="scan"),
    path("features/", features.feature_list, name="feature_list"),
    path("features/new/", features.feature_create, name="feature_create"),
    path("features/<str:name>/", features.feature_detail, name="feature_detail"),
    path("features/<str:name>/appoint/", features.feature_appoint, name="feature_appoint"),
    path("features/<str:name>/dismiss/", features.feature_dismiss, name="feature_dismiss"),
]
