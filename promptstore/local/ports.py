"""Ports on this machine."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from promptstore.local.errors import ConfigError


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_again(url: str) -> int:
    """The loopback port that `url` names while nobody listens there, else a free one; for an empty `url` too."""
    port = urlsplit(url).port if url.startswith("http://127.0.0.1:") else None
    if port is None:
        return free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
    return port


def require_free(variable: str, *, host: str, port: int) -> None:
    """Raise `ConfigError` for `variable` if a server could not listen on `host` and `port`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ConfigError("PROMPTSTORE_BIND", f"{host!r} is not an address of this machine") from error
    with socket.socket(family, kind, protocol) as probe:
        # Without SO_REUSEADDR connections that are closing would look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError as error:
            raise ConfigError(
                variable, f"this user may not listen on port {port}; choose one above 1023"
            ) from error
        except OSError as error:
            raise ConfigError(
                variable, f"port {port} on {host} is taken by another program; set {variable} to a free port"
            ) from error
