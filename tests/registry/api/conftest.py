from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast

As = Callable[[str], APIClient]
ROOT = "/api/v1/projects/acme"


@pytest.fixture
def as_role(cast: Cast) -> As:
    """`as_role("writer")` is a client that is signed in as the project's writer."""

    def sign_in(role: str) -> APIClient:
        client = APIClient()
        client.force_login(cast.users[role])
        return client

    return sign_in
