"""Answers that show a secret once."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView


class SecretOnceView(ProjectView):
    """Answers with a secret, which a kept reply to an `Idempotency-Key` must not hold: a repeat gets it empty."""

    def _keep(self, response: HttpResponseBase) -> HttpResponseBase:
        data = getattr(response, "data", None)
        if self._reservation is None or not (isinstance(data, dict) and data.get("secret")):
            return super()._keep(response)
        kept = Response({**data, "secret": ""}, status=response.status_code)
        for name in ("accepted_renderer", "accepted_media_type", "renderer_context"):
            setattr(kept, name, getattr(response, name))
        # What comes back in place of `kept` says that it could not be kept, and nothing was done.
        answered = super()._keep(kept)
        return response if answered is kept else answered
