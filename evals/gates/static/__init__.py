"""The static gate: everything that can be known about a release without calling a model."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from evals.gates import params as parameters
from evals.gates.base import Gate, GateSubject, Judgement
from evals.gates.static import config, pins, prompts, tokens


def judge(subject: GateSubject, _params: Mapping[str, Any]) -> Judgement:
    """Every check runs, also where the verdict is settled without it."""
    return Judgement(
        tuple(chain.from_iterable(part.checks(subject) for part in (pins, prompts, tokens, config)))
    )


GATE = Gate("static", "Static checks", judge, read_params=lambda given: parameters.read(given, ()))
