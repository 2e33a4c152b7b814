"""Starts what the tests need before Django reads its settings. Loaded with `-p tests.services`.

With `DATABASE_OWNER_URL`, `DATABASE_URL` and `BROKER_URL` set, the suite uses those servers instead. Workers of a parallel run
inherit the environment of the process that started them, so only that one starts and stops servers.
"""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

_stack = ExitStack()


def _start() -> None:
    from promptstore.local import embedded

    home = Path(tempfile.mkdtemp(prefix="ps-test-"))
    _stack.callback(shutil.rmtree, home, ignore_errors=True)
    database = _stack.enter_context(embedded.embedded_postgres(home, durable=False))
    broker = _stack.enter_context(embedded.embedded_valkey(home))
    os.environ.update(DATABASE_URL=database.app_url, DATABASE_OWNER_URL=database.owner_url, BROKER_URL=broker)
    atexit.register(_stack.close)


os.environ.setdefault(
    "PROMPTSTORE_MASTER_KEY", base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
)
os.environ.setdefault("PROMPTSTORE_SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("PROMPTSTORE_LOG_LEVEL", "WARNING")
if "DATABASE_OWNER_URL" not in os.environ:
    _start()
