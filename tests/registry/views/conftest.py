from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import Cast

As = Callable[[str], Client]


@pytest.fixture
def browse(cast: Cast) -> As:
    """`browse("writer")` is a browser in which the project's writer is signed in."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(cast.users[role])
        return client

    return sign_in
