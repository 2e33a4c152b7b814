from __future__ import annotations

import pytest

from promptstore.core import audit
from promptstore.core.keys import create_personal_token
from promptstore.core.models import AuditEvent, AuditPending
from tests.cast import Cast
from tests.cli.conftest import PromptCtl


@pytest.fixture
def log(cast: Cast) -> Cast:
    """Three events, sealed."""
    for number in range(3):
        create_personal_token(actor=cast.actor("writer"), project_id=cast.project.pk, name=f"token {number}")
    audit.seal_pending()
    return cast


def test_a_whole_log_is_fine_and_says_what_to_keep(promptctl: PromptCtl, log: Cast) -> None:
    ended = promptctl("audit", "verify", "--json")
    assert ended.code == 0
    assert (ended.json["ok"], ended.json["sealed"], ended.json["faults"]) == (True, 3, [])
    again = promptctl("audit", "verify", "--expect-sequence", 3, "--expect-head", ended.json["head"])
    assert again.code == 0
    assert "The log is whole." in again.out


def test_a_checkpoint_that_the_log_does_not_contain_is_a_fault(promptctl: PromptCtl, log: Cast) -> None:
    ended = promptctl("audit", "verify", "--expect-sequence", 4, "--expect-head", "sha256:" + "0" * 64)
    assert ended.code == 1
    assert "fault: sequence 4" in ended.out


def test_half_an_expectation_is_a_usage_error(promptctl: PromptCtl) -> None:
    assert promptctl("audit", "verify", "--expect-sequence", 3).code == 2


def test_an_event_that_nobody_will_seal_is_a_fault(promptctl: PromptCtl, log: Cast) -> None:
    create_personal_token(actor=log.actor("writer"), project_id=log.project.pk, name="hidden")
    AuditPending.objects.filter(event=AuditEvent.objects.latest("id")).delete()
    assert promptctl("audit", "verify").code == 1


def test_a_token_carries_a_persons_rights(promptctl: PromptCtl, log: Cast) -> None:
    user = log.users["writer"].username
    ended = promptctl("tokens", "create", "--user", user, "--project", "acme", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["token"].startswith("pt_")
    assert AuditEvent.objects.latest("id").action == "token.created"


def test_a_token_for_a_stranger_or_nobody_is_refused(
    promptctl: PromptCtl, log: Cast, strangers: Cast
) -> None:
    stranger = strangers.users["writer"].username
    assert promptctl("tokens", "create", "--user", stranger, "--project", "acme").code == 4
    assert promptctl("tokens", "create", "--user", "nobody", "--project", "acme").code == 1
    assert promptctl("tokens", "create", "--user", stranger, "--project", "nowhere").code == 1
