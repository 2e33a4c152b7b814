"""`Authorization: Bearer pt_…` or `ps_…` for the management API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from promptstore.core import keys
from promptstore.core.actors import Actor


@dataclass(frozen=True)
class Caller:
    """What DRF sees as `request.user` for a key: authenticated, with the actor that services take."""

    actor: Actor
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> str:
        return self.actor.id


class BearerAuthentication(BaseAuthentication):
    """Looks a presented key up by its digest; a wrong one is 401, an absent header is nobody."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        actor = keys.actor_for_key(presented.strip())
        if actor is None:
            raise AuthenticationFailed("This key is unknown, expired or revoked.")
        return Caller(actor=actor), presented[:3]

    def authenticate_header(self, _request: Request) -> str:
        return "Bearer"


def actor_of(request: Any) -> Actor:
    """The actor of a DRF or Django request that passed authentication."""
    user = request.user
    return user.actor if isinstance(user, Caller) else keys.actor_for_user(user)
