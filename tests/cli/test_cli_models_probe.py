"""`promptctl models probe` against the real server; the worker's part is played by a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from evals.models import DriftProbe, ProbeRun
from evals.services import run_probe
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from tests.cast import Cast
from tests.cli.conftest import PromptCtl
from tests.evals.probe_cast import ask_and_run, entry_of

CHANGED = {"default": {"answer": "From today on: $last"}}


@pytest.fixture
def entry(live_server: LiveServer, cast: Cast, provider: ScriptedServer) -> ModelVersion:
    return entry_of(cast, provider)


@pytest.fixture
def worker(entry: ModelVersion) -> Iterator[None]:
    """Runs what is asked for, as a worker does."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(0.1):
                probe = DriftProbe.objects.filter(ticket__isnull=False).first()
                if probe is not None and probe.ticket is not None:
                    run_probe(probe_id=probe.pk, ticket=probe.ticket)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_baseline_steady_and_drift_have_their_exit_codes(
    worker: None,
    entry: ModelVersion,
    provider: ScriptedServer,
    promptctl: PromptCtl,
    sign_in: Callable[[str], None],
) -> None:
    sign_in("engineer")
    first = promptctl("models", "probe", "small@1.0.0", "--json")
    assert (first.code, first.json["outcome"]) == (0, "baseline")
    steady = promptctl("models", "probe", "small@1.0.0")
    assert steady.code == 0
    assert "steady: 0 of 24 answers changed" in steady.out
    provider.script(CHANGED)
    drifted = promptctl("models", "probe", "small@1.0.0")
    assert drifted.code == 1
    assert "drifted: " in drifted.out
    provider.script({"default": {"status": 503}})
    unreadable = promptctl("models", "probe", "small@1.0.0", "--json")
    assert (unreadable.code, unreadable.json["outcome"]) == (3, "unreadable")


def test_the_answers_can_be_accepted_at_once(
    worker: None,
    entry: ModelVersion,
    cast: Cast,
    provider: ScriptedServer,
    promptctl: PromptCtl,
    sign_in: Callable[[str], None],
) -> None:
    ask_and_run(cast, entry)
    provider.script(CHANGED)
    sign_in("owner")
    ended = promptctl("models", "probe", "small@1.0.0", "--accept-baseline", "--reason", "Wanted.", "--json")
    assert (ended.code, ended.json["outcome"]) == (0, "drifted")
    assert str(DriftProbe.objects.get().baseline_id) == ended.json["id"]


def test_what_is_not_done_in_time_is_inconclusive(
    entry: ModelVersion, promptctl: PromptCtl, sign_in: Callable[[str], None]
) -> None:
    sign_in("engineer")
    ended = promptctl("models", "probe", "small@1.0.0", "--timeout", "0", "--json")
    assert (ended.code, ended.json["outcome"]) == (3, "pending")
    assert not ProbeRun.objects.exists()


def test_wrong_calls_and_missing_rights_are_told_apart(
    entry: ModelVersion, promptctl: PromptCtl, sign_in: Callable[[str], None]
) -> None:
    sign_in("auditor")
    assert promptctl("models", "probe", "small").code == 2
    assert promptctl("models", "probe", "small@1.0.0", "--accept-baseline").code == 2
    assert promptctl("models", "probe", "small@1.0.0").code == 4
    sign_in("engineer")
    assert promptctl("models", "probe", "small@9.9.9").code == 1
