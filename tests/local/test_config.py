from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.local.config import read_config
from promptstore.local.errors import ConfigError


def test_without_variables_everything_is_embedded_on_loopback(tmp_path: Path) -> None:
    config = read_config({}, root=tmp_path)
    assert config.home == tmp_path / ".promptstore"
    assert (config.bind, config.port, config.serve_port) == ("127.0.0.1", 8000, 8001)
    assert (config.database_url, config.broker_url, config.model_url, config.run_model) == (
        None,
        None,
        None,
        True,
    )


def test_configured_servers_replace_the_embedded_ones(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://app@db/promptstore",
        "DATABASE_OWNER_URL": "postgresql://owner@db/promptstore",
        "BROKER_URL": "redis://broker/0",
        "PROMPTSTORE_MODEL_URL": "http://models/v1",
    }
    config = read_config(environ, root=tmp_path)
    assert config.database_url == environ["DATABASE_URL"]
    assert config.broker_url == environ["BROKER_URL"]
    assert config.model_url == environ["PROMPTSTORE_MODEL_URL"]
    assert not config.run_model


def test_a_url_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "broker"
    file.write_text("redis://broker/0\n")
    assert read_config({"BROKER_URL_FILE": str(file)}, root=tmp_path).broker_url == "redis://broker/0"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"PORT": "eighty"}, "PORT"),
        ({"PORT": "0"}, "PORT"),
        ({"SERVE_PORT": "65536"}, "SERVE_PORT"),
        ({"PORT": "8001"}, "SERVE_PORT"),
        ({"DATABASE_URL": "postgresql://app@db/promptstore"}, "DATABASE_OWNER_URL"),
        ({"DATABASE_OWNER_URL": "postgresql://owner@db/promptstore"}, "DATABASE_URL"),
        ({"BROKER_URL_FILE": "nowhere"}, "BROKER_URL_FILE"),
        ({"PROMPTSTORE_MODEL": "maybe"}, "PROMPTSTORE_MODEL"),
        ({"PROMPTSTORE_HOME": "a file"}, "PROMPTSTORE_HOME"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_its_name(
    tmp_path: Path, environ: dict[str, str], variable: str
) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(ConfigError, match=f"^{variable}: ") as caught:
        read_config(environ, root=tmp_path)
    assert caught.value.variable == variable


def test_the_model_can_be_switched_off(tmp_path: Path) -> None:
    config = read_config(
        {"PROMPTSTORE_MODEL": "off", "PROMPTSTORE_MODEL_URL": "http://models/v1"}, root=tmp_path
    )
    assert (config.run_model, config.model_url) == (False, None)


@pytest.mark.parametrize(
    ("bind", "url"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("10.0.0.5", "http://10.0.0.5:8000")],
)
def test_urls_name_an_address_that_answers(tmp_path: Path, bind: str, url: str) -> None:
    assert read_config({"PROMPTSTORE_BIND": bind}, root=tmp_path).console_url == url


@given(text=st.text(max_size=8))
def test_any_text_for_a_port_is_a_number_or_refused(text: str) -> None:
    def read() -> int | None:
        try:
            return read_config({"PORT": text, "SERVE_PORT": "9"}, root=Path("/nowhere")).port
        except ConfigError:
            return None

    port = read()
    assert port is None or 1 <= port <= 65535
