from __future__ import annotations

import base64
from pathlib import Path

import pytest

from promptstore.local import logs
from promptstore.local.errors import LocalError
from promptstore.local.home import Home, new_master_key, new_password


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "new" / "home")
    file = home.secret_file("key", new_password)
    first = file.read_text()
    assert home.secret_file("key", new_password).read_text() == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_lost_secret_is_not_replaced_while_data_needs_it(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(LocalError, match="key is missing"):
        home.secret_file("key", new_password, needed_by=tmp_path / "data")
    assert not (tmp_path / "secrets" / "key").exists()


def test_the_master_key_is_32_bytes(tmp_path: Path) -> None:
    assert len(base64.b64decode(new_master_key(), validate=True)) == 32


def test_an_existing_directory_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Home.open(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_logs_rotate_at_start_and_keep_a_few(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for number in range(6):
        logs.rotate(log)
        log.write_text(f"run {number}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "web.log",
        "web.log.1",
        "web.log.2",
        "web.log.3",
    ]
    assert (tmp_path / "web.log.1").read_text() == "run 4"


def test_a_log_that_grew_too_long_is_emptied_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        logs.bound(log, limit_bytes=50)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "web.log.1").stat().st_size == 100


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"\n".join(b"line %d" % number for number in range(100)) + b"\n\xff")
    assert logs.tail(log, lines=2) == "    line 99\n    \ufffd"
    assert logs.tail(tmp_path / "none.log") == ""
