"""Reads that every page needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from promptstore.core.errors import NotFound
from promptstore.core.models import Environment, Project


def projects_of(user: Any) -> QuerySet[Project]:
    """The projects that a person belongs to, by name."""
    if not getattr(user, "is_authenticated", False):
        return Project.objects.none()
    return Project.objects.filter(pk__in=user.memberships.values("project_id")).order_by("name")


def current_project(user: Any, chosen: str | None) -> Project | None:
    """The chosen project if the person still belongs to it, else their first."""
    mine = projects_of(user)
    return (mine.filter(slug=chosen).first() if chosen else None) or mine.first()


def current_environment(project: Project | None, chosen: str | None) -> Environment | None:
    """The chosen environment of the project, else its last one (production)."""
    if not project:
        return None
    all_of_it = Environment.objects.filter(project_id=project.pk).order_by("-position")
    return (all_of_it.filter(slug=chosen).first() if chosen else None) or all_of_it.first()


def project_by_slug(slug: str) -> Project:
    """A project by its slug; raises `NotFound`."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise NotFound(f"There is no project “{slug}”.", field="project")
    return project


def environment_by_slug(*, project_id: UUID, slug: str) -> Environment:
    """An environment of a project by its slug; raises `NotFound`."""
    environment = Environment.objects.filter(project_id=project_id, slug=slug).first()
    if environment is None:
        raise NotFound(f"This project has no environment “{slug}”.", field="environment")
    return environment
