"""The request as views see it after the middleware: who acts, in which project and environment."""

from __future__ import annotations

from django.http import HttpRequest

from promptstore.core.actors import Actor
from promptstore.core.models import Environment, Project


class ProjectRequest(HttpRequest):
    """For annotations only: `ProjectMiddleware` sets these on every request.

    `project` and `environment` are lazy and falsy where the person belongs to no project.
    """

    actor: Actor
    project: Project
    environment: Environment
