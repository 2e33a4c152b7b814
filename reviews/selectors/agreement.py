"""How far those who label agree, over what several of them judged lately."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from uuid import UUID

from django.db.models import Count

from promptstore.core import clock
from reviews.models import Label
from stats.agreement import Agreement, cohen_kappa, krippendorff_alpha, percent_agreement

OVER = timedelta(days=30)
MOST_ITEMS = 5_000


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """One question: the plain share of agreeing pairs, and α, which corrects it for chance."""

    question: str
    share: Agreement
    alpha: Agreement


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people on one question: Cohen's κ over what both of them judged."""

    question: str
    first: str
    second: str
    kappa: Agreement


def agreement(*, project_id: UUID, questions: list[str]) -> list[QuestionAgreement]:
    """For each question, over what was judged at least twice within 30 days."""
    items = _answers(project_id)
    found = []
    for question in questions:
        units = [
            [answers[question] for answers in of_item.values() if question in answers]
            for of_item in items.values()
        ]
        found.append(QuestionAgreement(question, percent_agreement(units), krippendorff_alpha(units)))
    return found


def pairs(*, project_id: UUID, questions: list[str]) -> list[PairAgreement]:
    """For each question and each two people who judged something in common within 30 days."""
    together: dict[tuple[str, str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for of_item in _answers(project_id).values():
        for first, second in combinations(sorted(of_item), 2):
            for question in questions:
                if question in of_item[first] and question in of_item[second]:
                    said = together[question, first, second]
                    said[0].append(of_item[first][question])
                    said[1].append(of_item[second][question])
    return [
        PairAgreement(question, first, second, cohen_kappa(*said))
        for (question, first, second), said in sorted(together.items())
    ]


def _answers(project_id: UUID) -> Mapping[UUID, Mapping[str, Mapping[str, str]]]:
    """What each person said of each item that several judged: item → user name → answers."""
    since = clock.now() - OVER
    lately = Label.objects.filter(project_id=project_id, created_at__gte=since)
    several = lately.values("item").annotate(given=Count("pk")).filter(given__gte=2).order_by("-item")
    found: dict[UUID, dict[str, Mapping[str, str]]] = defaultdict(dict)
    rows = lately.filter(item__in=several.values("item")[:MOST_ITEMS]).values_list(
        "item", "annotator__username", "answers"
    )
    for item, name, answers in rows:
        found[item][name] = answers
    return found
