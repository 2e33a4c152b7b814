"""Which software a report was made with."""

from __future__ import annotations

import platform
from importlib import metadata

# The libraries whose behaviour can change a verdict.
_LIBRARIES = ("Jinja2", "jsonschema", "tiktoken", "httptools", "orjson")


def versions() -> dict[str, str]:
    """Versions by name: the product, Python and the libraries that judge."""
    return {name: _version(name) for name in ("promptstore", *_LIBRARIES)} | {
        "python": platform.python_version()
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "source"  # run from a checkout that is not installed
