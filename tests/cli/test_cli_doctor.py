from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from pytest_django.fixtures import Settings

from promptstore.cli.database import ROOT
from promptstore.cli.doctor.database import check_database
from promptstore.cli.doctor.findings import Finding
from promptstore.cli.doctor.surroundings import check_broker, check_disk, check_keys, check_serving
from promptstore.core import crypto
from promptstore.local.embedded import embedded_postgres, embedded_valkey
from promptstore.local.ports import free_port
from tests.cli.conftest import PromptCtl


def verdicts(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict.value for finding in findings}


@pytest.mark.django_db
def test_a_database_as_it_should_be_is_ok_in_every_line() -> None:
    assert verdicts(check_database()) == {
        "database": "ok",
        "migrations": "ok",
        "role separation": "ok",
        "insert-only tables": "ok",
    }


@pytest.mark.django_db
def test_one_role_for_everything_is_no_separation() -> None:
    # The migrated database of this test, with the owner's name in place of the application's.
    database = str(connection.settings_dict["NAME"])
    url = urlsplit(settings.DATABASE_OWNER_URL)._replace(path=f"/{database}").geturl()
    script = (
        "import django; django.setup()\n"
        "from promptstore.cli.doctor.database import check_database\n"
        "print([(f.check, f.verdict.value, f.detail) for f in check_database()])"
    )
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "promptstore.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert "('role separation', 'fail', " in done.stdout
    assert "('insert-only tables', 'fail', " in done.stdout


def test_a_database_that_is_away_ends_the_command_with_code_4(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://app:x@127.0.0.1:{free_port()}/promptstore",
        "PROMPTSTORE_HOME": str(tmp_path),
    }
    for arguments in (["doctor"], ["audit", "verify"]):
        done = subprocess.run(
            [sys.executable, "-m", "promptstore.cli", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 4, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_the_whole_examination_prints_one_line_per_check_with_what_mends_it(
    promptctl: PromptCtl, settings: Settings
) -> None:
    settings.BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    settings.SERVING_URL = f"http://127.0.0.1:{free_port()}"
    for purpose in ("audit", "snapshot"):
        crypto.signing_key(purpose)
    ended = promptctl("doctor")
    assert ended.code == 4
    lines = ended.out.splitlines()
    assert [line.split(":")[0].split(maxsplit=1)[1] for line in lines if not line.startswith(" ")] == [
        "database", "migrations", "role separation", "insert-only tables", "broker", "master key", "signing keys",
        "serving node", "disk",
    ]  # fmt: skip
    assert [lines[number + 1].strip()[0] for number, line in enumerate(lines) if line.startswith("fail")] == [
        "→",
        "→",
    ]
    listed = promptctl("doctor", "--json")
    assert listed.json["ok"] is False


@pytest.mark.real
def test_a_real_broker_answers_and_persists(settings: Settings, tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as url:
        settings.BROKER_URL = url
        assert verdicts(check_broker()) == {"broker": "ok"}


@pytest.mark.django_db
def test_another_master_key_than_the_databases_fails(settings: Settings) -> None:
    assert verdicts(check_keys()) == {"master key": "ok", "signing keys": "fail"}
    for purpose in ("audit", "snapshot"):
        crypto.signing_key(purpose)
    assert verdicts(check_keys()) == {"master key": "ok", "signing keys": "ok"}
    settings.PROMPTSTORE_MASTER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    assert verdicts(check_keys())["master key"] == "fail"
    settings.PROMPTSTORE_MASTER_KEY = "short"
    assert verdicts(check_keys()) == {"master key": "fail"}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (
            200,
            {"node": "n", "environments": [{"project": "p", "environment": "e", "stale_since": None}]},
            "ok",
        ),
        (200, {"environments": [{"project": "p", "environment": "e", "stale_since": "2026-01-01"}]}, "warn"),
        (503, {"status": "no_snapshot", "environments": []}, "fail"),
        (200, ["another server"], "fail"),
    ],
)
def test_what_a_node_says_about_itself_is_passed_on(
    settings: Settings, json_server: Any, status: int, body: Any, verdict: str
) -> None:
    settings.SERVING_URL = json_server(lambda _path, _body: (status, body))
    assert verdicts(check_serving()) == {"serving node": verdict}


def test_disk_is_looked_at_where_the_home_will_be(tmp_path: Path) -> None:
    [finding] = check_disk(tmp_path / "not" / "yet")
    assert str(tmp_path) in finding.detail


@pytest.mark.real
def test_init_db_makes_roles_and_database_and_may_run_again(
    promptctl: PromptCtl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_postgres(tmp_path, durable=False) as urls:
        place = urls.owner_url.partition("@")[2].partition("?")[2]
        monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://an_owner:one@/shop?{place}")
        monkeypatch.setenv("DATABASE_URL", f"postgresql://an_app:two@/shop?{place}")
        for _ in range(2):
            ended = promptctl("doctor", "--init-db", "--superuser-url", urls.superuser_url)
            assert ended.code == 0, ended.err
        with psycopg.connect(os.environ["DATABASE_URL"]) as application:
            assert application.execute("SELECT current_user").fetchone() == ("an_app",)


def test_init_db_refuses_what_cannot_work_by_name(
    promptctl: PromptCtl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://one:x@/shop")
    monkeypatch.setenv("DATABASE_URL", "postgresql://one:x@/shop")
    assert promptctl("doctor", "--init-db").code == 2
    ended = promptctl("doctor", "--init-db", "--superuser-url", "postgresql://root@/postgres", "--json")
    assert (ended.code, ended.problem["field"]) == (2, "DATABASE_URL")
