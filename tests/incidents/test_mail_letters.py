"""Whatever names contain, a letter keeps its shape."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from incidents.notifications.personal.mail import MAX_SUBJECT_CHARS, compose
from incidents.notifications.personal.news import News, build

NEWS = News(
    event="rollout.stepped_down",
    at="2026-03-02T09:00:00+00:00",
    actor="controller",
    project="acme",
    url="https://console.example/releases/rollouts/1/",
    settings_url="https://console.example/settings/notifications/",
    environment="production",
    feature="assistant",
    release="assistant 1.1.0",
    from_weight_bp=1_000,
    to_weight_bp=750,
)
# Lone surrogates are no text; the database keeps none either.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def tags(html: str) -> list[str]:
    parser = Tags()
    parser.feed(html)
    return parser.found


PLAIN = compose(build(NEWS), to="ada@acme.example", message_id="msg_1")


def test_a_letter_reads_well() -> None:
    assert PLAIN.subject == "[acme] assistant 1.1.0 in production goes down from 10 % to 7.5 %"
    assert "At:           2026-03-02 09:00 UTC" in PLAIN.text
    assert "Manage notifications: https://console.example/settings/notifications/" in PLAIN.text
    assert "ada@acme.example" not in repr(PLAIN)


@given(name=NAMES, other=NAMES)
def test_names_change_neither_headers_nor_markup(name: str, other: str) -> None:
    hostile = replace(
        NEWS, actor=name, project=other, release=name, feature=other or "x", environment=name or "x"
    )
    letter = compose(build(hostile), to="ada@acme.example", message_id="msg_1")
    assert len(letter.subject) <= MAX_SUBJECT_CHARS
    assert len(letter.subject.splitlines()) == 1
    mail = EmailMultiAlternatives(
        letter.subject, letter.text, "a@b.example", [letter.to], headers=dict(letter.headers)
    )
    parsed = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert sorted(parsed.keys()) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "List-Unsubscribe",
        "MIME-Version", "Message-ID", "Subject", "To",
    ]  # fmt: skip
    assert set(tags(letter.html)) == set(tags(PLAIN.html))
