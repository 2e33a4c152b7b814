"""What makes a call governed: its address is a Promptstore gateway, by host or by the variable that holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_HOSTS = frozenset({"127.0.0.1:8001", "localhost:8001"})
DEFAULT_VARIABLES = frozenset(
    {"PROMPTSTORE_URL", "PROMPTSTORE_SERVING_URL", "PROMPTSTORE_BASE_URL", "PROMPTSTORE_GATEWAY_URL"}
)
# Variables that SDKs read by themselves where no address is passed.
IMPLICIT = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL", "ollama": "OLLAMA_HOST"}
_MODEL_PATHS = re.compile(r"/v1/(?:chat/completions|responses|features/[^/]+/(?:render|resolve))")


@dataclass(frozen=True)
class Gateways:
    """Hosts (`host` or `host:port`) and names of variables that stand for gateways."""

    hosts: frozenset[str] = field(default=DEFAULT_HOSTS)
    variables: frozenset[str] = field(default=DEFAULT_VARIABLES)

    def is_gateway_url(self, url: str) -> bool:
        """Whether the URL's host is one of them; a host without a port stands for all its ports."""
        try:
            parts = urlsplit(url if "//" in url else f"//{url}")
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        return bool(host) and (host in self.hosts or f"{host}:{port}" in self.hosts)

    def is_gateway_variable(self, name: str) -> bool:
        """Whether an environment variable or constant of this name holds a gateway's address."""
        return name in self.variables

    def is_model_url(self, url: str) -> bool:
        """Whether `url` is a gateway's call that leads to a model."""
        return self.is_gateway_url(url) and _MODEL_PATHS.search(url) is not None

    def by_default(self, provider: str) -> bool:
        """Whether the provider's SDK goes through a gateway without being told in the source."""
        return IMPLICIT.get(provider, "") in self.variables
