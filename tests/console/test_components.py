from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from promptstore.core.permissions import Role

HOSTILE = '"><script>alert(1)</script>&'
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


pytestmark = pytest.mark.usefixtures("clock")


def shown(source: str, path: str = "/prompts/?state=draft&sort=name", **values: Any) -> str:
    context = Context({"request": RequestFactory().get(path), "hostile": HOSTILE, "now": NOW, **values})
    return Template("{% load ui %}" + source).render(context)


@pytest.mark.parametrize(
    "source",
    [
        "{% page_header title=hostile subtitle=hostile %}{{ hostile }}{% endpage_header %}",
        "{% card title=hostile subtitle=hostile href=hostile %}{{ hostile }}{% endcard %}",
        "{% notice title=hostile %}{{ hostile }}{% endnotice %}",
        "{% table caption=hostile %}<tbody><tr><td>{{ hostile }}</td></tr></tbody>{% endtable %}",
        "{% kv hostile %}{{ hostile }}{% endkv %}{% stat hostile note=hostile %}{{ hostile }}{% endstat %}",
        "{% event at=now actor=hostile %}{{ hostile }}{% endevent %}",
        "{% confirm hostile hostile hostile hostile consequences=hostile name=hostile %}{{ hostile }}{% endconfirm %}",
        "{% live url=hostile id='x' label=hostile %}{{ hostile }}{% endlive %}",
        "{% breadcrumbs %}{% crumb hostile hostile %}{% crumb hostile %}{% endbreadcrumbs %}",
        "{% status 'rollout' hostile %}{% status 'rollout' 'running' label=hostile detail=hostile %}",
        "{% digest hostile %}{% copy hostile label=hostile %}{% icon 'check' label=hostile %}",
        "{% code hostile label=hostile numbers=True %}{% code hostile language=hostile %}",
        "{% diff_texts hostile '' label=hostile %}{% diff_texts '' hostile view='split' %}",
        "{% empty_state title=hostile text=hostile href=hostile action=hostile %}",
        "{% findings hostile_findings %}",
        "{% stepper hostile_steps label=hostile %}",
        "{% chart hostile_chart id='c' title=hostile note=hostile %}",
        "{% sort_th hostile hostile %}{% pagination next=hostile previous=hostile %}{% query q=hostile %}",
    ],
)
def test_hostile_text_is_shown_as_text(source: str) -> None:
    html = shown(
        source,
        hostile_findings=[
            {
                "severity": HOSTILE,
                "message": HOSTILE,
                "hint": HOSTILE,
                "where": HOSTILE,
                "code": HOSTILE,
                "line": 1,
            }
        ],
        hostile_steps=[{"label": HOSTILE, "note": HOSTILE, "by": HOSTILE, "state": HOSTILE}],
        hostile_chart={
            "unit": "percent",
            "x": [1],
            "series": [{"key": HOSTILE, "label": HOSTILE, "values": [0.1]}],
            "window": {"from": 0, "to": 1, "label": HOSTILE},
        },
    )
    assert "<script>alert" not in html
    assert 'alert(1)</script>"' not in html


def test_a_block_keeps_the_markup_of_its_content() -> None:
    assert "<b>bold</b>" in shown("{% card title='x' %}<b>bold</b>{% endcard %}")


def test_a_status_is_never_colour_alone() -> None:
    html = shown("{% status 'rollout' 'rolling_back' detail='50 %' %}")
    assert "Rolling back · 50 %" in html
    assert "<svg" in html
    assert 'data-status="rolling_back"' in html


def test_a_time_carries_the_exact_moment() -> None:
    html = shown("{% ago then %}", then=NOW - timedelta(minutes=3))
    assert 'datetime="2026-03-02T08:57:00+00:00"' in html
    assert 'title="2 Mar 2026, 08:57:00 UTC"' in html
    assert ">3\u00a0min ago</time>" in html


def test_an_unknown_moment_digest_or_state_is_a_dash() -> None:
    assert shown("{% ago None %}{% digest None %}{% status 'rollout' None %}") == "–––"


def test_a_stepper_marks_where_the_rollout_is() -> None:
    html = shown(
        "{% stepper steps label='Plan' %}",
        steps=[
            {"label": "2 %", "state": "done"},
            {
                "label": "10 %",
                "state": "current",
                "time_done": 372,
                "time_needed": 600,
                "samples_done": 312,
                "samples_needed": 500,
            },
        ],
    )
    assert html.count('aria-current="step"') == 1
    assert 'max="500" value="312"' in html
    assert "312 of 500\u00a0samples" in html
    assert "6\u00a0min 12\u00a0s of 10\u00a0min" in html


def test_steps_may_be_objects() -> None:
    @dataclass
    class Step:
        label: str
        state: str

    assert "50 %" in shown("{% stepper steps %}", steps=[Step("50 %", "next")])


def test_findings_come_worst_first_with_their_place() -> None:
    html = shown(
        "{% findings items %}",
        items=[
            {"severity": "info", "message": "note"},
            {"severity": "error", "message": "wrong", "line": 3, "column": 0},
        ],
    )
    assert html.index("wrong") < html.index("note")
    assert "3:0" in html
    assert "Error: " in html


def test_no_findings_say_so() -> None:
    assert "Ready." in shown("{% findings items empty='Ready.' %}", items=[])


def test_a_chart_has_its_numbers_as_a_table_and_as_data() -> None:
    data = {
        "unit": "percent",
        "x": [1767225600, 1767225660],
        "series": [{"key": "candidate", "label": "Candidate", "values": [0.008, None]}],
        "limit": {"value": 0.005},
    }
    html = shown("{% chart data id='rate' title='Policy hits' %}", data=data)
    assert '<script id="rate" type="application/json">' in html
    assert "<caption" in html
    assert "0.8\u00a0%" in html
    assert ">–</td>" in html
    assert "0.5\u00a0%" in html


def test_a_sort_link_turns_around_and_keeps_the_filters() -> None:
    html = shown("{% sort_th 'Name' 'name' %}{% sort_th 'Calls' 'calls' numeric=True %}")
    assert 'aria-sort="ascending"' in html
    assert "?state=draft&amp;sort=-name" in html
    assert "?state=draft&amp;sort=calls" in html


def test_pages_link_to_their_neighbours() -> None:
    html = shown("{% pagination next='c2' shown=50 %}")
    assert "cursor=c2" in html
    assert "Newer" not in html
    assert "50\u00a0entries on this page" in html


def test_a_confirm_says_what_happens_and_asks_why() -> None:
    html = shown(
        "{% confirm 'Roll back…' '/r/' 'Roll back?' 'Roll back' consequences=said name='acme' %}"
        "<input type='hidden' name='x'>{% endconfirm %}",
        said=["One.", "Two."],
        csrf_token="t" * 32,
    )
    assert html.count("<li>") == 2
    assert 'name="csrfmiddlewaretoken"' in html
    assert 'name="confirm" required' in html
    assert 'name="reason" rows="2" required' in html
    assert "<input type='hidden' name='x'>" in html


def test_a_confirm_without_a_reason_asks_for_none() -> None:
    html = shown("{% confirm label='Go…' action='/' title='Go?' submit='Go' reason=False %}{% endconfirm %}")
    assert 'name="reason"' not in html


@pytest.mark.parametrize(
    ("roles", "expected"), [({Role.OPERATOR}, "yes"), ({Role.WRITER}, "no"), (set(), "no")]
)
def test_may_asks_the_permission_table(roles: set[Role], expected: str) -> None:
    assert (
        shown("{% may 'rollout.resume' as ok %}{{ ok|yesno:'yes,no' }}", roles=frozenset(roles)) == expected
    )


class SampleForm(forms.Form):
    name = forms.CharField(help_text="Lower case.")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    note = forms.CharField(required=False)


def test_a_field_is_wired_to_its_help_and_error() -> None:
    html = shown("{% field form.name %}", form=SampleForm({}))
    assert 'aria-describedby="id_name_help id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_error"' in html
    assert "Fill this in." in html


def test_a_valid_field_has_no_error_and_an_optional_one_says_so() -> None:
    html = shown("{% field form.name %}{% field form.note %}", form=SampleForm())
    assert "aria-invalid" not in html
    assert html.count("optional") == 2  # the class and the word


def test_choices_are_a_fieldset_with_a_legend() -> None:
    html = shown("{% field form.kind %}", form=SampleForm({}))
    assert '<fieldset class="ps-field" aria-describedby="id_kind_error">' in html
    assert "Choose one." in html


def test_the_error_summary_links_to_each_field() -> None:
    html = shown("{% error_summary form %}", form=SampleForm({}))
    assert 'href="#id_name"' in html
    assert 'href="#id_kind_0"' in html
    assert "2 things need your attention" in html
    assert shown("{% error_summary form %}", form=SampleForm()).strip() == ""
