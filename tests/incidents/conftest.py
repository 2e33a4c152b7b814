from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.incidents.receivers import Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver on loopback that takes everything until it is told otherwise."""
    with receiver() as running:
        yield running
