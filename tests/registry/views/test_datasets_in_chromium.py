"""The datasets' pages in a real browser: they fit, they are accessible, and a failure reaches the danger set by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from promptstore.core import clock
from promptstore.core.ids import uuid7
from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind
from registry.models import DatasetCase
from registry.services import case_changes, cases, danger, datasets, features
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast
from tests.traffic import store

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PATHS = [
    "/datasets/",
    "/datasets/new/",
    "/datasets/held-out/",
    "/datasets/held-out/?show=erased",
    "/datasets/held-out/versions/1.0.0/",
    "/datasets/held-out/cases/new/",
    "/datasets/held-out/cases/quiet-checkout/",
    "/datasets/held-out/cases/gone/",
    "/datasets/held-out/import/",
    "/datasets/danger/",
    "/datasets/danger/cases/manual-office-network/",
]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """A frozen dataset with one case erased and one new since, and a danger set."""
    cast = make_cast("acme")
    writer, engineer = cast.actor("writer"), cast.actor("engineer")
    features.create_feature(
        actor=engineer, project_id=cast.project.id, slug="assistant", name="Configuration assistant"
    )
    made = datasets.create_dataset(
        actor=writer,
        project_id=cast.project.id,
        name="held-out",
        description="Requests with the one configuration entry that answers them.",
    )
    asked = CaseContent(
        variables={"request": "The checkout writes too many log lines, show warnings only."},
        expected={"key": "log_level", "value": "warning"},
        context=("The checkout logs at the level debug since the incident in March.",),
        tags=("logs",),
        note="Asked often.",
    )
    given: dict[str, Any] = {"dataset_id": made.id}
    cases.add_cases(
        actor=writer,
        cases=[NewCase(asked, key=key, feature="assistant") for key in ("quiet-checkout", "gone")],
        **given,
    )
    datasets.freeze_dataset(actor=writer, changelog="First.", **given)
    case_changes.erase_case(actor=engineer, key="gone", reason="A person asked for it.", **given)
    cases.add_cases(actor=writer, cases=[NewCase(asked, key="since")], **given)
    danger.add_danger_case(
        actor=engineer,
        project_id=cast.project.id,
        feature="assistant",
        content=CaseContent(variables={"request": "Let the office in."}, note="Opened it to everybody."),
        source=CaseSource(SourceKind.MANUAL, "office-network"),
    )
    return cast


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_every_page_is_accessible_and_fits(
    browser: Browser, live_server: Any, people: Cast, width: int, theme: str, tmp_path: Path
) -> None:
    page, complaints = opened(
        browser, live_server.url, people.users["engineer"], PATHS[0],
        viewport={"width": width, "height": 900}, color_scheme=theme,
    )  # fmt: skip
    for number, path in enumerate(PATHS):
        page.goto(live_server.url + path)
        page.screenshot(path=tmp_path / f"{number:02d}-{width}.png", full_page=True)
    assert not complaints
    for path in PATHS:
        page.goto(live_server.url + path)
        check_page(page, path)


def test_a_bad_answer_reaches_the_danger_set_by_keyboard(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    inference = str(uuid7())
    store(
        [
            {
                "id": inference,
                "at": clock.now().isoformat(),
                "project": "acme",
                "environment": "production",
                "feature": "assistant",
                "release_digest": "sha256:0",
                "release_version": "1.0.0",
                "arm": "stable",
                "reason": "split",
                "role": "primary",
                "status": "ok",
                "latency_ms": 120.0,
                "variables_redacted": {"request": "Let the guests in."},
                "output_redacted": "0.0.0.0/0",
            }
        ]
    )
    page, complaints = opened(browser, live_server.url, people.users["engineer"], f"/inferences/{inference}/")
    button = page.get_by_role("button", name="Add with the right answer…")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add to the danger set")
    expect(page.locator("main")).to_contain_text("0.0.0.0/0")
    assert not complaints
    check_page(page)
    page.get_by_label("Right answer").focus()
    page.keyboard.type('"10.20.0.0/16"')
    page.get_by_role("button", name="Add the case").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"inference-{inference}")
    case = DatasetCase.objects.get(source_ref=inference)
    assert case.said == CaseContent(variables={"request": "Let the guests in."}, expected="10.20.0.0/16")
