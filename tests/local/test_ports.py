from __future__ import annotations

import socket

import pytest

from promptstore.local.errors import ConfigError
from promptstore.local.ports import free_port, port_again, require_free


def test_a_taken_port_is_refused_with_the_variable_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"SERVE_PORT: port {port} on 127.0.0.1 is taken"):
            require_free("SERVE_PORT", host="127.0.0.1", port=port)


def test_a_free_port_is_accepted_twice() -> None:
    port = free_port()
    require_free("PORT", host="127.0.0.1", port=port)
    require_free("PORT", host="127.0.0.1", port=port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="PROMPTSTORE_BIND"):
        require_free("PORT", host="no such host", port=free_port())


def test_a_port_is_taken_again_while_it_is_free() -> None:
    port = free_port()
    assert port_again(f"http://127.0.0.1:{port}/v1") == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert port_again(f"http://127.0.0.1:{port}/v1") != port
    assert port_again("")
