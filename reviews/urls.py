"""Pages of the review queue. Where somebody labels, the address names no item."""

from __future__ import annotations

from django.urls import URLPattern, path

from reviews.views import labelling, queue

app_name = "reviews"

_ONE = "reviews/<uuid:item_id>"

urlpatterns: list[URLPattern] = [
    path("reviews/", queue.item_list_page, name="item_list"),
    path("reviews/next/", labelling.next_page, name="next"),
    path("reviews/claim/", labelling.claim, name="claim"),
    path(f"{_ONE}/", queue.item_detail_page, name="item_detail"),
    path(f"{_ONE}/settle/", queue.settle, name="settle"),
    path(f"{_ONE}/danger/", queue.danger, name="danger"),
    path(f"{_ONE}/label/", labelling.label, name="label"),
    path(f"{_ONE}/skip/", labelling.skip, name="skip"),
    path(f"{_ONE}/escalate/", labelling.escalate, name="escalate"),
    path(f"{_ONE}/heartbeat/", labelling.heartbeat, name="heartbeat"),
]
