"""The management API's OpenAPI document, and how its authentication reads there."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator


class PublicSchema(SchemaGenerator):
    """The description of every route. It is the same for everyone, so it is gathered once per process: that takes a second."""

    def get_schema(self, request: Any = None, public: bool = True) -> Any:  # noqa: ARG002 - the generator's signature
        return _gathered()


@cache
def _gathered() -> Any:
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


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
