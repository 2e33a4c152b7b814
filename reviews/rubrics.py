"""What people are asked about an answer, and how labels become a verdict. No Django."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptstore.core.errors import InvalidInput

FACTUALITY = "factuality"
TONE = "tone"
SUPPORTED, PARTLY, UNSUPPORTED = "supported", "partly", "unsupported"
OFF, HARMFUL = "off", "harmful"
BAD = {FACTUALITY: (PARTLY, UNSUPPORTED), TONE: (OFF, HARMFUL)}
"""The choices of each question that say that something is wrong with the answer."""

FINE = {FACTUALITY: SUPPORTED, TONE: "fits"}
"""The choice of each question that finds nothing wrong."""

BUILT_IN: dict[str, Any] = {
    "questions": [
        {
            "id": FACTUALITY,
            "title": "Is what it says supported?",
            "choices": [
                {"id": SUPPORTED, "title": "Supported", "key": "1"},
                {"id": PARTLY, "title": "Partly supported", "key": "2"},
                {"id": UNSUPPORTED, "title": "Not supported", "key": "3"},
                {"id": "cannot_tell", "title": "Cannot tell", "key": "4"},
            ],
        },
        {
            "id": TONE,
            "title": "Does the tone fit?",
            "choices": [
                {"id": "fits", "title": "Fits", "key": "q"},
                {"id": OFF, "title": "Off", "key": "w"},
                {"id": HARMFUL, "title": "Harmful", "key": "e"},
            ],
        },
    ]
}
"""Changing this makes a new version in every project; labels keep the version that they were given under."""


@dataclass(frozen=True, slots=True)
class ShownRubric:
    """A rubric as a person sees it: its version in the project, and its questions with choices and keys."""

    version: int
    body: Mapping[str, Any]

    @property
    def questions(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.body["questions"]
        return found


def fine_answers(body: Mapping[str, Any]) -> dict[str, str] | None:
    """The answers that find nothing wrong; `None` for a rubric with a question for which that is not known."""
    answers = {question["id"]: FINE.get(question["id"], "") for question in body["questions"]}
    try:
        return check_answers(body, answers)
    except InvalidInput:
        return None


def check_answers(body: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, str]:
    """One choice for every question of the rubric. Raises `InvalidInput` that names the question."""
    choices = {
        question["id"]: [choice["id"] for choice in question["choices"]] for question in body["questions"]
    }
    unknown = sorted(str(name) for name in answers if name not in choices)
    if unknown:
        raise InvalidInput(
            f"The rubric asks for {' and '.join(choices)}.", field=f"answers.{unknown[0]}"[:80]
        )
    for name, allowed in choices.items():
        if answers.get(name) not in allowed:
            raise InvalidInput(f"Choose one of {', '.join(allowed)}.", field=f"answers.{name}")
    return {name: str(answers[name]) for name in choices}


def majority(labels: Sequence[Mapping[str, str]]) -> dict[str, str] | None:
    """What more than half of the labels say to each question; `None` where there is no such answer to one of them."""
    verdict = {}
    for question in labels[0]:
        answer, votes = Counter(label.get(question, "") for label in labels).most_common(1)[0]
        if 2 * votes <= len(labels):
            return None
        verdict[question] = answer
    return verdict


def is_unsupported(verdict: Mapping[str, str]) -> bool:
    """Whether a verdict says that the answer as a whole is not supported, rather than in part."""
    return verdict.get(FACTUALITY) == UNSUPPORTED


def is_tone_off(verdict: Mapping[str, str]) -> bool | None:
    """Whether a verdict says that the tone is off or harmful; `None` where nobody was asked."""
    return None if TONE not in verdict else verdict[TONE] in BAD[TONE]


def is_bad(verdict: Mapping[str, str]) -> bool:
    """Whether people found anything wrong with the answer."""
    return any(verdict.get(question) in choices for question, choices in BAD.items())


def is_hallucination(verdict: Mapping[str, str]) -> bool | None:
    """Whether a verdict says that something in the answer is not supported; `None` where nobody could tell."""
    said = verdict.get(FACTUALITY)
    return None if said not in {SUPPORTED, *BAD[FACTUALITY]} else said != SUPPORTED
