"""The versioned artifacts, one noun per file."""

from registry.models.configs import ServingConfig, ServingConfigVersion
from registry.models.datasets import Dataset, DatasetCase, DatasetVersion, DatasetVersionCase
from registry.models.endpoints import Endpoint
from registry.models.features import Feature, FeatureApprover
from registry.models.language_models import LanguageModel, ModelVersion
from registry.models.lint_policies import LintPolicy
from registry.models.prompts import Prompt, PromptDraft, PromptVersion, PromptWithdrawal
from registry.models.scans import SourceScan

__all__ = [
    "Dataset",
    "DatasetCase",
    "DatasetVersion",
    "DatasetVersionCase",
    "Endpoint",
    "Feature",
    "FeatureApprover",
    "LanguageModel",
    "LintPolicy",
    "ModelVersion",
    "Prompt",
    "PromptDraft",
    "PromptVersion",
    "PromptWithdrawal",
    "ServingConfig",
    "ServingConfigVersion",
    "SourceScan",
]
