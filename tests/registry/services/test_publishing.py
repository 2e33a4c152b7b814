from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.errors import Conflict, DomainError, StaleWrite
from promptstore.core.models import AuditEvent
from registry.content import Kind, artifact_digest
from registry.errors import BumpTooLow, LintErrors, Unchanged, VersionExists, VersionNotHigher
from registry.models import PromptDraft, PromptVersion
from registry.services import drafts, publishing
from tests.cast import Cast
from tests.registry.conftest import changed, says


def publish(cast: Cast, draft: PromptDraft, role: str = "writer", **more: Any) -> PromptVersion:
    draft.refresh_from_db()
    return publishing.publish_version(
        actor=cast.actor(role), draft_id=draft.id, revision=draft.revision, **more
    )


def save(cast: Cast, draft: PromptDraft, body: dict[str, Any], role: str = "writer") -> PromptDraft:
    draft.refresh_from_db()
    return drafts.save_draft(actor=cast.actor(role), draft_id=draft.id, revision=draft.revision, body=body)


def test_the_first_version_is_1_0_0(cast: Cast, draft: PromptDraft) -> None:
    version = publish(cast, draft, changelog="First.")

    assert (version.version, version.changelog) == ("1.0.0", "First.")
    assert version.token_counts["template"] > 10
    event = AuditEvent.objects.get(action="prompt.published")
    assert event.after is not None
    assert event.after["digest"] == version.digest


def test_the_digest_covers_kind_name_version_and_body(cast: Cast, draft: PromptDraft) -> None:
    version = publish(cast, draft)
    version.refresh_from_db()

    assert version.digest == artifact_digest(
        kind=Kind.PROMPT, name="suggest", version="1.0.0", body=version.body
    )
    assert version.digest != artifact_digest(
        kind=Kind.PROMPT, name="other", version="1.0.0", body=version.body
    )


def test_wording_is_a_patch_and_a_required_variable_a_major_change(cast: Cast, draft: PromptDraft) -> None:
    publish(cast, draft)
    save(cast, draft, says("You suggest configuration entries, briefly."))
    assert publish(cast, draft).version == "1.0.1"

    save(
        cast,
        draft,
        changed(
            messages=[{"role": "user", "content": "{{ service }} {{ question }} {{ locale }}"}],
            input_schema={
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("service", "question", "locale")},
                "required": ["service", "question", "locale"],
            },
        ),
    )
    with pytest.raises(BumpTooLow) as refused:
        publish(cast, draft, version="1.1.0")
    assert refused.value.extra["minimum"] == "2.0.0"
    assert "locale" in refused.value.detail
    assert publish(cast, draft).version == "2.0.0"


@pytest.mark.parametrize(
    ("version", "error"),
    [("1.0.0", VersionExists), ("v1.0.0", VersionExists), ("0.9.0", VersionNotHigher)],
)
def test_versions_neither_repeat_nor_go_back(
    cast: Cast, draft: PromptDraft, version: str, error: type[DomainError]
) -> None:
    publish(cast, draft)
    save(cast, draft, says("Other words."))

    with pytest.raises(error):
        publish(cast, draft, version=version)

    assert PromptVersion.objects.count() == 1


def test_publishing_what_is_published_already_is_refused(cast: Cast, draft: PromptDraft) -> None:
    publish(cast, draft)

    with pytest.raises(Unchanged):
        publish(cast, draft, version="1.1.0")


def test_lint_errors_block_and_name_line_and_column(cast: Cast, draft: PromptDraft) -> None:
    save(
        cast,
        draft,
        changed(messages=[{"role": "user", "content": "Hi\n{{ nobody }} {{ service }} {{ question }}"}]),
    )

    with pytest.raises(LintErrors) as refused:
        publish(cast, draft)

    finding = refused.value.errors[0]
    assert (finding["rule"], finding["message_index"], finding["line"], finding["column"]) == (
        "undeclared-variable",
        0,
        2,
        4,
    )
    assert not PromptVersion.objects.exists()


def test_authors_are_all_who_saved_since_the_last_publish_and_the_publisher(
    cast: Cast, draft: PromptDraft
) -> None:
    save(cast, draft, says("One."), role="engineer")
    first = publish(cast, draft, role="owner")
    save(cast, draft, says("Two."), role="engineer")
    second = publish(cast, draft, role="engineer")

    ids = {role: str(cast.users[role].id) for role in ("writer", "engineer", "owner")}
    assert set(first.authors) == set(ids.values())
    assert second.authors == [ids["engineer"]]


def test_reopening_a_version_carries_its_authors_along(cast: Cast, draft: PromptDraft) -> None:
    first = publish(cast, draft)
    save(cast, draft, says("Two."), role="engineer")
    publish(cast, draft, role="engineer")
    draft.refresh_from_db()

    drafts.reopen_draft(
        actor=cast.actor("engineer"), draft_id=draft.id, revision=draft.revision, version="1.0.0"
    )
    third = publish(cast, draft, role="engineer")

    assert third.body == first.body
    assert str(cast.users["writer"].id) in third.authors


def test_publishing_an_old_revision_is_refused(cast: Cast, draft: PromptDraft) -> None:
    seen = draft.revision
    save(cast, draft, says("Newer."), role="engineer")

    with pytest.raises(StaleWrite):
        publishing.publish_version(actor=cast.actor("writer"), draft_id=draft.id, revision=seen)


def test_a_version_is_withdrawn_once_and_with_a_reason(cast: Cast, draft: PromptDraft) -> None:
    version = publish(cast, draft)
    with pytest.raises(DomainError):
        publishing.withdraw_version(actor=cast.actor("engineer"), version_id=version.id, reason="  ")

    publishing.withdraw_version(actor=cast.actor("engineer"), version_id=version.id, reason="It leaks names.")

    with pytest.raises(Conflict):
        publishing.withdraw_version(actor=cast.actor("engineer"), version_id=version.id, reason="Again.")


def test_numbers_that_the_database_would_change_are_refused(cast: Cast, draft: PromptDraft) -> None:
    with pytest.raises(DomainError) as refused:
        save(
            cast,
            draft,
            changed(input_schema={"type": "object", "properties": {"service": {"maximum": 1e20}}}),
        )

    assert (refused.value.code, refused.value.field) == (
        "not_canonical",
        "input_schema.properties.service.maximum",
    )
