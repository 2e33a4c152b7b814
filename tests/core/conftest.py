"""The fixtures of `tests.core.probe`, for every test here."""

from __future__ import annotations

from tests.core.probe import api, probe

__all__ = ["api", "probe"]
