from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.incidents.mailbox import Mailbox, mail_server
from tests.incidents.receivers import Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver on loopback that takes everything until it is told otherwise."""
    with receiver() as running:
        yield running


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A mail server on loopback that the instance is set to use."""
    with mail_server() as running:
        settings.PROMPTSTORE_EMAIL_URL = running.url
        settings.PROMPTSTORE_EMAIL_FROM = "Promptstore <promptstore@console.example>"
        settings.CONSOLE_URL = "https://console.example"
        yield running
