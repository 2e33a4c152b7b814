"""Two people at the same moment, on real connections."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from promptstore.core.errors import Conflict
from promptstore.core.models import AuditEvent
from registry.models import LanguageModel, PromptVersion, PromptWithdrawal, ServingConfigVersion
from registry.services import configs, drafts, publishing
from tests.cast import Cast, make_cast
from tests.registry.conftest import CONFIG, make_prompt, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return make_cast("acme")


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls together; what each returned or raised, in their order."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            start.wait()
            results[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def split(results: list[Any]) -> tuple[list[Any], list[Conflict]]:
    refused = [result for result in results if isinstance(result, Conflict)]
    done = [result for result in results if not isinstance(result, Exception)]
    assert len(done) + len(refused) == len(results), results
    return done, refused


@pytest.mark.parametrize("version", [None, "1.0.0"])
def test_of_two_publishers_one_wins_and_the_other_gets_409(people: Cast, version: str | None) -> None:
    draft = make_prompt(people).drafts.get()

    def publish(role: str) -> Callable[[], Any]:
        actor = people.actor(role)
        return lambda: publishing.publish_version(actor=actor, draft_id=draft.id, revision=1, version=version)

    published, refused = split(at_once(publish("writer"), publish("engineer")))

    assert (len(published), [error.status for error in refused]) == (1, [409])
    assert PromptVersion.objects.count() == 1
    assert AuditEvent.objects.filter(action="prompt.published").count() == 1


def test_of_two_saves_from_one_revision_one_wins_and_the_other_is_told(people: Cast) -> None:
    draft = make_prompt(people).drafts.get()

    def save(role: str) -> Callable[[], Any]:
        actor = people.actor(role)
        return lambda: drafts.save_draft(actor=actor, draft_id=draft.id, revision=1, body=says(role))

    saved, refused = split(at_once(save("writer"), save("engineer")))

    assert (len(saved), refused[0].code) == (1, "stale_write")
    draft.refresh_from_db()
    assert (draft.revision, draft.body) == (2, saved[0].body)


def test_a_version_is_withdrawn_once(people: Cast) -> None:
    draft = make_prompt(people).drafts.get()
    version = publishing.publish_version(actor=people.actor("writer"), draft_id=draft.id, revision=1)

    def withdraw(role: str) -> Callable[[], Any]:
        actor = people.actor(role)
        return lambda: publishing.withdraw_version(actor=actor, version_id=version.id, reason=role)

    done, refused = split(at_once(withdraw("engineer"), withdraw("owner")))

    assert (len(done), len(refused), PromptWithdrawal.objects.count()) == (1, 1, 1)


def test_the_first_version_of_a_config_is_published_once(people: Cast) -> None:
    def publish(role: str) -> Callable[[], Any]:
        actor = people.actor(role)
        return lambda: configs.publish_config_version(
            actor=actor, project_id=people.project.id, name="calm", body=CONFIG
        )

    done, refused = split(at_once(publish("engineer"), publish("owner")))

    assert (len(done), len(refused), ServingConfigVersion.objects.count()) == (1, 1, 1)
    assert not LanguageModel.objects.exists()
