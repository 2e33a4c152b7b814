from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from promptstore.local.shared import shared_services
from tests.local.conftest import ROOT, eventually, is_alive

pytestmark = pytest.mark.real
USER = """
import sys
from pathlib import Path
from promptstore.local.shared import shared_services
with shared_services(Path(sys.argv[1])) as services:
    print(services.broker_url, flush=True)
    sys.stdin.read()
"""


def test_users_share_servers_until_the_last_has_gone(tmp_path: Path) -> None:
    with shared_services(tmp_path) as services:
        keeper = json.loads((tmp_path / "run" / "services.json").read_text())["keeper"]["pid"]
        second = subprocess.Popen(
            [sys.executable, "-c", USER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert second.stdout is not None
        assert second.stdout.readline().strip() == services.broker_url
    # The first user has left; the second still works, until it is killed without a chance to say goodbye.
    with psycopg.connect(services.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    os.kill(second.pid, signal.SIGKILL)
    second.communicate()
    assert eventually(lambda: not is_alive(keeper))
    assert not (tmp_path / "run" / "services.json").exists()
