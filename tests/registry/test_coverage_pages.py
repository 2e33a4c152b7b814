from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from registry.models import SourceScan
from registry.scans import ReportedSite
from registry.services.scans import report_scan
from tests.cast import Cast

SITES = [
    ReportedSite(
        "1", "a.py", 1, "openai responses.create", governed=False, symbol="Bot.ask", snippet="<b>x</b>"
    ),
    ReportedSite("2", "b.py", 2, "openai responses.create", governed=True),
    ReportedSite("3", "c.py", 3, "ollama chat", governed=False, ignored="offline"),
]


def signed_in(cast: Cast, role: str) -> Client:
    client = Client()
    client.force_login(cast.users[role])
    return client


def scanned(cast: Cast) -> SourceScan:
    return report_scan(
        actor=cast.actor("engineer"), project_id=cast.project.id, source="github.com/acme/shop", sites=SITES, files=9,
        unread=["d.py: binary, or not UTF-8"],
    )  # fmt: skip


def test_without_a_scan_the_page_says_how_to_make_one(cast: Cast) -> None:
    page = signed_in(cast, "auditor").get("/inventory/coverage/").content.decode()
    assert "promptctl inventory scan . --upload" in page


def test_the_page_shows_the_share_and_each_source(cast: Cast) -> None:
    scan = scanned(cast)
    page = signed_in(cast, "auditor").get("/inventory/coverage/").content.decode()
    assert f"/inventory/coverage/{scan.pk}/" in page
    assert "50" in page
    assert "1 of 2" in page


def test_a_scans_page_shows_call_sites_as_text_and_what_was_not_read(cast: Cast) -> None:
    scan = scanned(cast)
    client = signed_in(cast, "writer")
    page = client.get(f"/inventory/coverage/{scan.pk}/").content.decode()
    for words in ("a.py:1", "Bot.ask", "&lt;b&gt;", "offline", "d.py: binary"):
        assert words in page
    only = client.get(f"/inventory/coverage/{scan.pk}/", {"state": "governed"}).content.decode()
    assert "b.py:2" in only
    assert "a.py:1" not in only


def test_another_projects_scan_has_no_page(cast: Cast, strangers: Cast) -> None:
    scan = scanned(cast)
    client = signed_in(strangers, "owner")
    assert client.get(f"/inventory/coverage/{scan.pk}/").status_code == 404
    assert "shop" not in client.get("/inventory/coverage/").content.decode()


def test_the_api_keeps_scans_and_gives_them_back(cast: Cast) -> None:
    client = APIClient()
    client.force_login(cast.users["engineer"])
    site = {"fingerprint": "1", "path": "a.py", "line": 3, "api": "openai", "governed": False}
    body = {"source": "shop", "files": 2, "sites": [site]}
    made = client.post("/api/v1/projects/acme/scans/", body, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["ungoverned"], made.json()["sites"][0]["line"]) == (1, 3)
    listed = client.get("/api/v1/projects/acme/scans/?source=shop").json()["results"]
    assert [one["id"] for one in listed] == [made.json()["id"]]
    assert client.get(f"/api/v1/projects/acme/scans/{made.json()['id']}/").json()["files"] == 2


@pytest.mark.parametrize(
    "wrong",
    [{"source": ""}, {"files": -1}, {"sites": [{"path": "a"}]}, {"surprise": 1}, {"scanned_at": "yesterday"}],
)
def test_the_api_names_what_is_wrong_and_keeps_nothing(cast: Cast, wrong: dict[str, object]) -> None:
    client = APIClient()
    client.force_login(cast.users["engineer"])
    answer = client.post(
        "/api/v1/projects/acme/scans/", {"source": "shop", "files": 2, "sites": []} | wrong, format="json"
    )
    assert answer.status_code == 400
    assert next(iter(wrong)) in str(answer.json())
    assert not SourceScan.objects.exists()
