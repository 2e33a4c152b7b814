"""Talking to models: one small package per protocol behind one interface. Pure: no Django, no database."""

from __future__ import annotations

from providers.base import (
    ChatChunk,
    ChatProvider,
    ChatRequest,
    ChatResult,
    FailureKind,
    ProviderError,
    Usage,
)
from providers.registry import PROTOCOLS, build

__all__ = [
    "PROTOCOLS",
    "ChatChunk",
    "ChatProvider",
    "ChatRequest",
    "ChatResult",
    "FailureKind",
    "ProviderError",
    "Usage",
    "build",
]
