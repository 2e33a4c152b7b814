"""An inference becomes a case of the danger set."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import require
from registry.datasets import CaseContent, CaseSource, SourceKind
from registry.models import DatasetCase
from registry.services.danger import add_danger_case
from telemetry.models import Inference
from telemetry.selectors import inference_by_id

MAX_QUOTED: Final = 600


def add_inference_to_danger_set(*, actor: Actor, project_id: UUID, inference_id: UUID) -> DatasetCase:
    """Keep what was asked, redacted, with a note of what came out; a second call gives the first case back.

    Needs `inference.read` and `dataset.edit`. Raises `NotFound`, `InputsNotKept` and what `add_danger_case` raises.
    """
    require(actor, "inference.read", project_id=project_id)
    inference = inference_by_id(project_id=project_id, inference_id=inference_id)
    return add_danger_case(
        actor=actor,
        project_id=project_id,
        feature=inference.feature,
        content=case_content(
            inference.variables_redacted, note=_found(inference), answer=inference.output_redacted or ""
        ),
        source=source_of(inference.pk),
    )


def source_of(inference_id: UUID) -> CaseSource:
    """By which the case of an inference is known again."""
    return CaseSource(SourceKind.INFERENCE, str(inference_id))


def case_content(variables: object, *, note: str, answer: str) -> CaseContent:
    """What a case made of an answer says. The answer was wrong, so it is quoted in the note; the right one is for people to write.

    Raises `InputsNotKept` where the variables are not there, and `InvalidInput` where they are too large for a case.
    """
    if not isinstance(variables, dict):
        raise InputsNotKept(
            "The inputs of this answer were not kept, so nobody could be asked again.", field="variables"
        )
    quoted = answer if len(answer) <= MAX_QUOTED else f"{answer[:MAX_QUOTED]}…"
    said = f"{note[:MAX_QUOTED]} It answered: {quoted}" if quoted else note[:MAX_QUOTED]
    return CaseContent.from_dict({"variables": variables, "note": said})


class InputsNotKept(InvalidInput):
    """An answer without its inputs cannot become a case."""

    code = "inputs_not_kept"
    title = "The inputs were not kept"


def _found(inference: Inference) -> str:
    """What went wrong, as far as the call itself tells."""
    if inference.policy_hit:
        return f"The policy filter hit: {', '.join(inference.policy_reasons) or 'no reason was given'}."
    if inference.error_code:
        return f"The call failed: {inference.error_code}."
    if inference.output_valid is False:
        return "The answer broke its output schema."
    return "Added from an inference."
