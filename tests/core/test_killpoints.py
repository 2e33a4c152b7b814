from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from promptstore.core import killpoints
from promptstore.core.killpoints import Armed, KillPoint
from tests.architecture.sources import ROOT, calls, dotted

TESTING = {"PROMPTSTORE_TESTING": "1"}


def test_without_the_variable_nothing_is_armed() -> None:
    assert killpoints.read({}) is None
    assert killpoints.read({"PROMPTSTORE_KILL_POINT": ""}) is None


def test_a_point_is_due_once_at_its_nth_pass() -> None:
    armed = killpoints.read({**TESTING, "PROMPTSTORE_KILL_POINT": "audit.before_commit:3"})
    assert armed == Armed(KillPoint.AUDIT_BEFORE_COMMIT, 3)
    passes = [armed.due(KillPoint.AUDIT_BEFORE_COMMIT) for _ in range(5)]
    assert passes == [False, False, True, False, False]
    assert not armed.due(KillPoint.AUDIT_AFTER_COMMIT)


def test_without_a_number_it_is_the_first_pass() -> None:
    assert killpoints.read({**TESTING, "PROMPTSTORE_KILL_POINT": "audit.after_commit"}) == Armed(
        KillPoint.AUDIT_AFTER_COMMIT, 1
    )


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PROMPTSTORE_KILL_POINT": "audit.before_commit"}, "unset it, or set PROMPTSTORE_TESTING=1"),
        ({**TESTING, "PROMPTSTORE_KILL_POINT": "audit.now"}, "'audit.now' is none of"),
        ({**TESTING, "PROMPTSTORE_KILL_POINT": "audit.before_commit:0"}, "nth from 1"),
        ({**TESTING, "PROMPTSTORE_KILL_POINT": "audit.before_commit:x"}, "nth from 1"),
    ],
)
def test_a_wrong_order_is_refused_and_says_why(environ: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        killpoints.read(environ)


def test_the_process_is_gone_at_its_point_and_a_production_process_never_starts() -> None:
    code = "from promptstore.core.killpoints import *; print('up', flush=True); reach(KillPoint.AUDIT_BEFORE_COMMIT); print('on')"

    def start(**variables: str) -> subprocess.CompletedProcess[bytes]:
        plain = {name: value for name, value in os.environ.items() if name not in killpoints_variables}
        return subprocess.run(
            [sys.executable, "-c", code], env=plain | variables, cwd=ROOT, capture_output=True, check=False
        )

    killpoints_variables = {"PROMPTSTORE_KILL_POINT", "PROMPTSTORE_TESTING"}
    killed = start(PROMPTSTORE_KILL_POINT="audit.before_commit", **TESTING)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, b"up\n")
    refused = start(PROMPTSTORE_KILL_POINT="audit.before_commit")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert start().stdout == b"up\non\n"


def test_every_point_has_one_place_in_the_product() -> None:
    reached = Counter(
        dotted(call.args[0]).removeprefix("KillPoint.")
        for module, call in calls()
        if module.resolve(call.func) == "promptstore.core.killpoints.reach"
    )
    assert reached == dict.fromkeys(KillPoint.__members__, 1)


def test_every_point_is_explained() -> None:
    page = (ROOT / "docs" / "crash-points.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", page, flags=re.MULTILINE)
    assert sorted(explained) == sorted(KillPoint)
