"""How the management API's authentication reads in its OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer` with a personal token `pt_…` or a service key `ps_…`."""

    target_class = "promptstore.core.http.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the extension's signature
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token (pt_…) or a service key (ps_…).",
        }
