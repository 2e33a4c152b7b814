from __future__ import annotations

from uuid import UUID

from registry.models import LintPolicy
from registry.rendering.lint import LintConfig


def lint_policy(*, project_id: UUID) -> LintPolicy | None:
    """The project's own rules, or None."""
    return LintPolicy.objects.filter(project_id=project_id).first()


def lint_config(project_id: UUID) -> LintConfig:
    """The project's rules as the linter takes them."""
    policy = lint_policy(project_id=project_id)
    if policy is None:
        return LintConfig()
    return LintConfig(token_budget=policy.token_budget, banned_topics=tuple(policy.banned_topics))
