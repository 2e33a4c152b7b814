from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from registry.models import LintPolicy, Prompt, PromptDraft, PromptVersion
from registry.services import drafts, prompts, publishing
from tests.cast import Cast
from tests.registry.conftest import BODY, make_prompt, says
from tests.registry.views.conftest import As


def boxes(revision: int = 1, **changes: Any) -> dict[str, Any]:
    """What a browser sends from the editor."""
    return {
        "revision": revision,
        "role": ["system", "user"],
        "content": ["Be brief.", "{{ service }}\r\n{{ question }}"],
        "input_schema": '{"type": "object", "properties": {"service": {"type": "string"}, "question": {"type": "string"}}, '
        '"required": ["service", "question"]}',
        "output_schema": "",
        "tools": "",
        "params": '{"max_tokens": 40}',
        "example_name": ["Billing"],
        "example_variables": ['{"service": "billing", "question": "Why?"}'],
        "shown": 0,
        "action": "save",
        **changes,
    }


def test_an_empty_project_teaches_the_next_step(browse: As) -> None:
    assert b"Write the first prompt" in browse("writer").get("/prompts/").content
    assert b"Write the first prompt" not in browse("auditor").get("/prompts/").content


def test_the_list_takes_the_same_queries_however_long_it_is(
    cast: Cast, browse: As, count_queries: Any
) -> None:
    client = browse("writer")
    make_prompt(cast)
    client.get("/prompts/")
    with count_queries() as one:
        client.get("/prompts/")
    for number in range(20):
        make_prompt(cast, name=f"prompt-{number}")
    with count_queries() as many:
        page = client.get("/prompts/")

    assert b"prompt-19" in page.content
    assert len(many) == len(one) <= 12  # two of them count what waits behind the rail


def test_a_long_list_has_pages_both_ways(cast: Cast, browse: As) -> None:
    for number in range(55):
        make_prompt(cast, name=f"prompt-{number:02d}")
    client = browse("writer")

    first = client.get("/prompts/").context["page"]
    second = client.get("/prompts/", {"cursor": first.next}).context["page"]
    back = client.get("/prompts/", {"cursor": second.previous}).context["page"]

    assert [row.name for row in second.rows] == [f"prompt-{number:02d}" for number in range(4, -1, -1)]
    assert (second.next, [row.name for row in back.rows]) == ("", [row.name for row in first.rows])
    assert client.get("/prompts/", {"cursor": "older-nonsense"}).status_code == 400


def test_a_new_prompt_opens_its_editor_and_a_bad_name_says_what_to_do(browse: As) -> None:
    client = browse("writer")

    bad = client.post("/prompts/new/", {"name": "My Prompt"})
    assert bad.status_code == 422
    assert b"lower-case letters" in bad.content
    made = client.post("/prompts/new/", {"name": "summary", "description": "Sums up."})
    assert made["Location"] == "/prompts/summary/edit/"
    assert client.get("/prompts/summary/edit/").status_code == 200


def test_saving_without_javascript_stores_and_comes_back(browse: As, draft: PromptDraft) -> None:
    answer = browse("writer").post("/prompts/suggest/edit/", boxes())

    assert answer["Location"] == "/prompts/suggest/edit/"
    draft.refresh_from_db()
    assert draft.body["messages"][1] == {"role": "user", "content": "{{ service }}\n{{ question }}"}
    assert (draft.revision, draft.body["params"]) == (2, {"max_tokens": 40})
    assert draft.example_inputs == [
        {"name": "Billing", "variables": {"service": "billing", "question": "Why?"}}
    ]


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("add_message", ["system", "user", "user"]),
        ("remove_message:0", ["user"]),
        ("move_up:1", ["user", "system"]),
        ("move_down:0", ["user", "system"]),
        ("move_up:0", ["system", "user"]),
    ],
)
def test_messages_are_arranged_without_javascript_and_without_saving(
    browse: As, draft: PromptDraft, action: str, roles: list[str]
) -> None:
    page = browse("writer").post("/prompts/suggest/edit/", boxes(action=action))

    assert [row.role for row in page.context["state"].messages] == roles
    assert b"Not saved yet" in page.content
    draft.refresh_from_db()
    assert draft.revision == 1


def test_a_conflict_shows_who_was_faster_and_keeps_my_text(
    cast: Cast, browse: As, draft: PromptDraft
) -> None:
    drafts.save_draft(
        actor=cast.actor("engineer"), draft_id=draft.id, revision=1, body=says("The engineer's words.")
    )
    client = browse("writer")

    page = client.post("/prompts/suggest/edit/", boxes(content=["My words.", "{{ service }}{{ question }}"]))

    assert page.status_code == 412
    text = page.content.decode()
    assert "engineer@acme saved this draft" in text
    assert ">\nMy words.</textarea>" in text
    kept = client.post(
        "/prompts/suggest/edit/", boxes(revision=2, content=["My words.", "{{ service }}{{ question }}"])
    )
    assert kept.status_code == 302
    draft.refresh_from_db()
    assert draft.body["messages"][0]["content"] == "My words."


def test_json_that_is_none_is_shown_at_its_box_and_nothing_is_saved(browse: As, draft: PromptDraft) -> None:
    page = browse("writer").post("/prompts/suggest/edit/", boxes(input_schema='{"type":\n oops}'))

    assert "at line 2, column 2" in page.context["state"].errors["input_schema"]
    assert b'aria-invalid="true"' in page.content
    draft.refresh_from_db()
    assert draft.revision == 1


def test_autosave_answers_with_what_stands_around_the_text(browse: As, draft: PromptDraft) -> None:
    answer = browse("writer").post(
        "/prompts/suggest/edit/autosave/", boxes(content=["{{ nobody }}", "{{ service }}{{ question }}"])
    )

    found = answer.json()
    assert (answer.status_code, found["revision"]) == (200, 2)
    assert 'data-line="1" data-column="4"' in found["findings"]
    assert "Cannot be rendered" in found["preview"]


def test_autosave_of_an_old_revision_is_a_conflict(cast: Cast, browse: As, draft: PromptDraft) -> None:
    drafts.save_draft(actor=cast.actor("engineer"), draft_id=draft.id, revision=1, body=says("Theirs."))

    answer = browse("writer").post("/prompts/suggest/edit/autosave/", boxes())

    assert answer.status_code == 412
    assert "Keep mine" in answer.json()["conflict"]


def test_those_who_may_not_edit_get_a_refusal_and_change_nothing(browse: As, draft: PromptDraft) -> None:
    answer = browse("auditor").post("/prompts/suggest/edit/autosave/", boxes())

    assert answer.status_code == 403
    draft.refresh_from_db()
    assert draft.revision == 1


def test_publishing_shows_version_difference_and_cost_before_the_button(
    browse: As, draft: PromptDraft
) -> None:
    client = browse("writer")
    first = client.get("/prompts/suggest/publish/")
    assert b"Publish 1.0.0" in first.content
    client.post("/prompts/suggest/publish/", {"revision": 1, "changelog": "First."})
    client.post("/prompts/suggest/edit/", boxes())

    review = client.get("/prompts/suggest/publish/")

    text = review.content.decode()
    assert "The wording changed." in text
    assert "Publish 1.0.1" in text
    assert "<ins>Be brief.</ins>" in text or "<ins>" in text
    done = client.post("/prompts/suggest/publish/", {"revision": 2, "changelog": "Shorter."})
    assert done["Location"] == "/prompts/suggest/versions/1.0.1/"
    assert PromptVersion.objects.count() == 2


def test_a_refused_publish_says_why_at_the_field(cast: Cast, browse: As, draft: PromptDraft) -> None:
    publishing.publish_version(actor=cast.actor("writer"), draft_id=draft.id, revision=1)
    drafts.save_draft(actor=cast.actor("writer"), draft_id=draft.id, revision=1, body=says("Other."))

    answer = browse("writer").post("/prompts/suggest/publish/", {"revision": 2, "version": "0.9.0"})

    assert answer.status_code == 422
    assert "is not above 1.0.0" in str(answer.context["form"].errors["version"])


def test_a_draft_with_errors_has_no_publish_button(cast: Cast, browse: As, draft: PromptDraft) -> None:
    drafts.save_draft(actor=cast.actor("writer"), draft_id=draft.id, revision=1, body=says("{{ nobody }}"))

    page = browse("writer").get("/prompts/suggest/publish/")

    assert b"This cannot be published yet" in page.content
    assert b'<button class="btn btn-primary">Publish' not in page.content


def test_version_and_difference_pages_show_what_was_published(
    cast: Cast, browse: As, draft: PromptDraft
) -> None:
    writer = cast.actor("writer")
    publishing.publish_version(actor=writer, draft_id=draft.id, revision=1)
    drafts.save_draft(actor=writer, draft_id=draft.id, revision=1, body=says("Other words."))
    publishing.publish_version(actor=writer, draft_id=draft.id, revision=2)
    client = browse("auditor")

    assert b"Other words." in client.get("/prompts/suggest/versions/1.0.1/").content
    assert b"<ins>" in client.get("/prompts/suggest/diff/").content
    assert b"ps-diff--split" in client.get("/prompts/suggest/diff/", {"view": "split"}).content
    assert client.get("/prompts/suggest/versions/9.9.9/").status_code == 404


def test_hostile_text_is_shown_as_text(cast: Cast, browse: As) -> None:
    attack = "</textarea><script>alert(1)</script>"
    prompts.create_prompt(
        actor=cast.actor("writer"),
        project_id=cast.project.id,
        name="hostile",
        description=attack,
        body=says(attack),
    )
    client = browse("writer")

    for path in ("/prompts/", "/prompts/hostile/", "/prompts/hostile/edit/", "/prompts/hostile/publish/"):
        assert b"<script>alert" not in client.get(path).content


def test_archiving_asks_for_a_reason_and_is_undone(browse: As, prompt: Prompt) -> None:
    client = browse("engineer")
    client.post("/prompts/suggest/archive/", {"reason": "Replaced."})
    assert b"suggest" in client.get("/prompts/", {"show": "archived"}).content
    assert b"No prompts yet" in client.get("/prompts/").content

    client.post("/prompts/suggest/restore/")
    prompt.refresh_from_db()
    assert prompt.archived_at is None


def test_withdrawing_and_starting_over_from_a_version(cast: Cast, browse: As, draft: PromptDraft) -> None:
    version = publishing.publish_version(actor=cast.actor("writer"), draft_id=draft.id, revision=1)
    drafts.save_draft(actor=cast.actor("writer"), draft_id=draft.id, revision=1, body=says("Other."))
    client = browse("engineer")

    client.post(f"/prompts/suggest/versions/{version.version}/withdraw/", {"reason": "Leaks."})
    assert b"Leaks." in client.get("/prompts/suggest/versions/1.0.0/").content
    client.post("/prompts/suggest/reopen/", {"revision": "2", "version": "1.0.0"})
    draft.refresh_from_db()
    assert draft.body["messages"] == BODY["messages"]


def test_owners_set_the_rules_and_others_read_them(browse: As) -> None:
    answer = browse("owner").post(
        "/prompt-rules/", {"revision": 0, "token_budget": 500, "banned_topics": "competitor\n\nweather "}
    )
    assert answer.status_code == 302
    assert LintPolicy.objects.get().banned_topics == ["competitor", "weather"]
    assert b"competitor, weather" in browse("writer").get("/prompt-rules/").content
    late = browse("owner").post("/prompt-rules/", {"revision": 0, "token_budget": 5, "banned_topics": ""})
    assert late.status_code == 422


@pytest.mark.parametrize("path", ["/prompts/theirs/", "/prompts/theirs/edit/", "/prompts/theirs/publish/"])
def test_pages_of_another_project_do_not_exist(strangers: Cast, browse: As, path: str) -> None:
    make_prompt(strangers, name="theirs")

    assert browse("owner").get(path).status_code == 404


def test_nobody_sees_a_page_without_signing_in(cast: Cast) -> None:
    answer = Client().get("/prompts/")

    assert answer["Location"].startswith("/login/")
