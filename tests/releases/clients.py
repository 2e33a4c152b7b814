"""Clients that are signed in as one of the cast."""

from __future__ import annotations

from django.test import Client
from rest_framework.test import APIClient

from tests.cast import Cast

HOST = "http://testserver"


def api_as(cast: Cast, role: str) -> APIClient:
    """The management API as the person who holds just this role."""
    client = APIClient()
    client.force_login(cast.users[role])
    return client


def page_as(cast: Cast, role: str) -> Client:
    """A browser without JavaScript; `HTTP_REFERER` is what a form on our pages sends."""
    client = Client(headers={"referer": f"{HOST}/releases/"})
    client.force_login(cast.users[role])
    return client
