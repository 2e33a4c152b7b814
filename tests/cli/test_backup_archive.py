from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptstore.cli.backup.archive import (
    DUMP,
    KEYS,
    DamagedError,
    NewerFormatError,
    content,
    describe,
    read_manifest,
    write_archive,
)
from promptstore.cli.backup.manifest import Heads, Manifest
from promptstore.cli.backup.programs import Programs, connection_environment
from promptstore.cli.exits import CommandError

KEY = b"k" * 32
HEADS = Heads(
    migrations=("core.0001_extensions",), audit_sequence=7, audit_head="sha256:" + "a" * 64, audit_unsealed=1,
    projects=({"slug": "acme", "id": "1", "audit_events": 8, "audit_sequence": 7, "live_rollouts": 0},),
    environments=({"project": "acme", "environment": "production", "epoch": 1, "generation": 4},),
    revoked_keys=("0192",),
)  # fmt: skip


def write(directory: Path, *, dump: bytes = b"PGDMP" * 300, with_keys: bool = False) -> tuple[Path, Manifest]:
    parts = {DUMP: dump} | (dict.fromkeys(KEYS, b"secret") if with_keys else {})
    members = {}
    for name, data in parts.items():
        members[name] = directory / name.replace("/", "-")
        members[name].write_bytes(data)
    manifest = Manifest(
        id="b1", made_at="2026-03-02T09:00:00+00:00", product="0.1.0", postgres_version="18.1", postgres_major=18,
        master_key="f" * 16, with_keys=with_keys, heads=HEADS,
        members=tuple(describe(name, path) for name, path in members.items()),
    )  # fmt: skip
    target = directory / "one.backup"
    target.unlink(missing_ok=True)
    write_archive(target, members=members, manifest=manifest, mac_key=KEY)
    return target, manifest


@pytest.mark.parametrize("with_keys", [False, True])
def test_what_is_written_is_read_again(tmp_path: Path, with_keys: bool) -> None:
    file, manifest = write(tmp_path, with_keys=with_keys)
    assert read_manifest(file, mac_key=KEY) == manifest
    assert b"".join(content(file, DUMP)) == b"PGDMP" * 300
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_came_into_being_meanwhile_is_kept_and_no_draft_stays(tmp_path: Path) -> None:
    file, manifest = write(tmp_path)
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_archive(file, members={DUMP: tmp_path / DUMP}, manifest=manifest, mac_key=KEY)
    assert file.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_no_byte_can_be_changed(tmp_path: Path, at: int, flip: int) -> None:
    file, _ = write(tmp_path)
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= flip
    file.write_bytes(data)
    with pytest.raises(DamagedError):
        read_manifest(file, mac_key=KEY)


@given(cut=st.integers(1, 10_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_no_end_can_be_cut_off_and_none_added(tmp_path: Path, cut: int) -> None:
    file, _ = write(tmp_path)
    data = file.read_bytes()
    for spoiled in (data[: -(cut % len(data) or 1)], data + b"\0" * cut):
        file.write_bytes(spoiled)
        with pytest.raises(DamagedError):
            read_manifest(file)


def test_a_whole_archive_by_somebody_without_the_master_key_is_a_forgery(tmp_path: Path) -> None:
    file, manifest = write(tmp_path)
    assert read_manifest(file) == manifest, "whoever has no key can still tell damage"
    with pytest.raises(DamagedError, match="not made under this master key"):
        read_manifest(file, mac_key=b"x" * 32)


def test_a_newer_format_is_told_from_damage(tmp_path: Path) -> None:
    file, manifest = write(tmp_path)
    file.unlink()
    newer = dataclasses.replace(manifest, format=manifest.format + 1)
    write_archive(file, members={DUMP: tmp_path / DUMP}, manifest=newer, mac_key=KEY)
    with pytest.raises(NewerFormatError):
        read_manifest(file)


def test_a_missing_pg_dump_is_named_with_what_to_install() -> None:
    with pytest.raises(CommandError) as refused:
        Programs.of_major(99)
    assert refused.value.problem["code"] == "pg_dump_missing"
    assert "postgresql-client-99" in str(refused.value)


def test_programs_get_the_password_by_environment_and_nothing_of_the_callers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSERVICE", "another")
    seen = connection_environment("postgresql://me:s%20ecret@db:5433/name?sslmode=require")
    assert (seen["PGHOST"], seen["PGPORT"], seen["PGUSER"], seen["PGDATABASE"]) == (
        "db",
        "5433",
        "me",
        "name",
    )
    assert (seen["PGPASSWORD"], seen["PGSSLMODE"]) == ("s ecret", "require")
    assert "PGSERVICE" not in seen
