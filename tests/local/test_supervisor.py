from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import pytest

from promptstore.local.supervisor import restart_delay_s
from tests.local.conftest import Run, eventually, is_alive

Supervise = Callable[..., Run]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_stops_every_child_and_is_no_failure(
    supervise: Supervise, number: signal.Signals
) -> None:
    run = supervise(groups=[[["data"]], [["web", "--grandchild"]]])
    run.wait_until_ready()
    run.popen.send_signal(number)
    run.end()
    assert run.popen.returncode == 0
    left = run.journal("data", "started") + run.journal("web", "started") + run.journal("web", "grandchild")
    assert len(left) == 3
    assert eventually(lambda: not any(map(is_alive, left)), within_s=2)


def test_children_stop_in_the_reverse_order_of_their_groups(supervise: Supervise) -> None:
    run = supervise(groups=[[["data"]], [["web"], ["worker"]]])
    run.wait_until_ready()
    run.popen.terminate()
    run.end()
    lines = (run.home / "journal").read_text().splitlines()
    asked = [line.split()[0] for line in lines if "asked-to-stop" in line]
    assert sorted(asked[:2]) == ["web", "worker"]
    assert asked[2:] == ["data"]


def test_a_child_that_does_not_stop_is_killed_when_its_time_is_up(supervise: Supervise) -> None:
    run = supervise(groups=[[["web", "--stubborn"]]], stop_timeout_s=0.3)
    run.wait_until_ready()
    run.popen.terminate()
    run.end(within_s=5)
    assert run.popen.returncode == 0
    assert not is_alive(run.journal("web", "started")[0])


def test_a_second_signal_does_not_wait_for_children(supervise: Supervise) -> None:
    run = supervise(groups=[[["web", "--stubborn"]]], stop_timeout_s=60)
    run.wait_until_ready()
    run.popen.send_signal(signal.SIGINT)
    assert eventually(lambda: len(run.journal("web", "asked-to-stop")) == 1)
    run.popen.send_signal(signal.SIGINT)
    run.end(within_s=5)
    assert not is_alive(run.journal("web", "started")[0])


def test_a_child_that_dies_starts_again(supervise: Supervise) -> None:
    run = supervise(groups=[[["web"]]])
    run.wait_until_ready()
    os.kill(run.journal("web", "started")[0], signal.SIGKILL)
    assert eventually(lambda: len(run.journal("web", "started")) == 2)
    run.popen.terminate()
    assert "Web was ended by SIGKILL; starting it again in 0.5 s" in run.end()


def test_a_child_that_ends_while_starting_is_an_error_that_shows_its_log(supervise: Supervise) -> None:
    run = supervise(groups=[[["data"]], [["web", "--exit-code", "3"]]])
    output = run.end()
    assert run.popen.returncode == 1
    assert "error: Web ended with exit code 3." in output
    assert "web cannot go on" in output
    assert not is_alive(run.journal("data", "started")[0])


def test_a_child_that_never_gets_ready_is_an_error_and_leaves_nothing_running(supervise: Supervise) -> None:
    run = supervise(groups=[[["web", "--ready", "elsewhere"]]], ready_timeout_s=3.0)
    output = run.end()
    assert run.popen.returncode == 1
    assert "error: Web does not get ready." in output
    assert not is_alive(run.journal("web", "started")[0])


def test_a_task_that_fails_stops_the_start(supervise: Supervise) -> None:
    run = supervise(
        groups=[[["data"]]], tasks=[["migrate", sys.executable, "-c", "raise SystemExit('no such table')"]]
    )
    output = run.end()
    assert run.popen.returncode == 1
    assert "no such table" in output
    assert not is_alive(run.journal("data", "started")[0])


def test_children_end_when_their_supervisor_is_killed(supervise: Supervise) -> None:
    run = supervise(groups=[[["web"]]])
    run.wait_until_ready()
    run.popen.kill()
    run.end()
    assert eventually(lambda: not is_alive(run.journal("web", "started")[0]))


def test_the_start_after_a_killed_supervisor_stops_what_is_left(supervise: Supervise) -> None:
    first = supervise(groups=[[["web", "--stubborn", "--grandchild"]]])
    first.wait_until_ready()
    first.popen.kill()
    first.end()
    left = first.journal("web", "started") + first.journal("web", "grandchild")
    assert all(map(is_alive, left))
    os.kill(left[0], signal.SIGKILL)  # even when only a grandchild is left, it is known by its token
    second = supervise(groups=[[["web"]]])
    second.wait_until_ready()
    assert not any(map(is_alive, left))


def test_a_second_supervisor_on_the_same_home_is_refused(supervise: Supervise) -> None:
    first = supervise(groups=[[["web"]]])
    first.wait_until_ready()
    second = supervise(groups=[[["web"]]])
    output = second.end()
    assert second.popen.returncode == 1
    assert f"in use by a running instance (process {first.popen.pid})" in output
    assert is_alive(first.journal("web", "started")[0])


def test_a_start_waits_for_a_supervisor_that_is_stopping(supervise: Supervise) -> None:
    first = supervise(groups=[[["web", "--stubborn"]]], stop_timeout_s=3)
    first.wait_until_ready()
    first.popen.terminate()
    assert eventually(lambda: len(first.journal("web", "asked-to-stop")) == 1)
    second = supervise(groups=[[["web"]]])
    second.wait_until_ready()
    assert first.end() is not None


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (50, 30.0)])
def test_restarts_back_off_exponentially_up_to_half_a_minute(failures: int, delay_s: float) -> None:
    assert restart_delay_s(failures) == delay_s
