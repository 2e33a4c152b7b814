"""Whose turn it is, in words."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.core.permissions import Role
from registry.models import PromptVersion
from releases.models import Promotion, Release
from releases.policies import Policy
from releases.rules.sentences import weight
from releases.selectors.people import listed, names_of
from releases.states import PromotionState


def approvals_missing(policy: Policy, approvals: int) -> int:
    """How many more approvals the quorum needs."""
    return max(0, policy.quorum - approvals)


def headline(promotion: Promotion, policy: Policy, approvals: int) -> str:
    """The state in a few words, for a badge: “Waiting for 1 more approval”."""
    if promotion.state != PromotionState.AWAITING_APPROVAL:
        return ""
    missing = approvals_missing(policy, approvals)
    return f"Waiting for {missing} more approval{'' if missing == 1 else 's'}" if missing else ""


def whose_turn(promotion: Promotion, policy: Policy, approvals: int, *, holds: str = "") -> str:
    """Who has to do what next. `holds` is what keeps an approved promotion from starting."""
    match promotion.state:
        case PromotionState.DRAFTED | PromotionState.CHECKING:
            text = f"The checks are running ({listed(policy.gates)}). Nobody has to do anything."
        case PromotionState.BLOCKED:
            asker = str(promotion.requested_by) if promotion.requested_by else "A service key"
            text = (
                f"{promotion.outcome} {asker} runs the checks again when the cause is gone, or cancels and "
                "composes a better release."
            )
        case PromotionState.AWAITING_APPROVAL:
            text = _waiting(promotion, policy, approvals)
        case PromotionState.APPROVED:
            text = f"Approved. {holds or 'It starts by itself within seconds.'}"
        case PromotionState.ROLLING_OUT:
            rollout = getattr(promotion, "rollout", None)
            share = ""
            if rollout:
                shown = f" on {weight(rollout.weight_bp)} of the units"
                share = " in shadow, where nobody sees its answers" if rollout.is_in_shadow else shown
            text = f"Rolling out{share}. The rules decide how far it goes."
        case PromotionState.SUPERSEDED:
            text = f"Superseded: {promotion.outcome}"
        case _:
            text = promotion.outcome or "This promotion has ended."
    return text


def _waiting(promotion: Promotion, policy: Policy, approvals: int) -> str:
    missing = max(1, approvals_missing(policy, approvals))
    roles = listed([_ROLE_WORDS[role] for role in Role if role in policy.approver_roles], "or")
    text = f"Waiting for {missing} more approval{'' if missing == 1 else 's'} from {roles}"
    own = own_work(promotion)
    excluded = [f"{person}, who {listed(deeds)} it" for person, deeds in own]
    return f"{text} — not from {'; nor from '.join(excluded)}." if excluded else f"{text}."


_ROLE_WORDS = {Role.APPROVER: "an approver", Role.OWNER: "an owner"}


def own_work(promotion: Promotion) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Each person whose own work this is, with what they did: wrote, composed, requested. None of them may approve."""
    release = promotion.release
    deeds: dict[str, list[str]] = {}
    writers = _writers(promotion.release)
    for deed, people in (
        ("wrote", [person for person in release.contributors if person in writers]),
        ("composed", [str(release.composed_by_id)] if release.composed_by_id else []),
        ("requested", [str(promotion.requested_by_id)] if promotion.requested_by_id else []),
    ):
        for person in people:
            deeds.setdefault(person, []).append(deed)
    names = names_of(deeds)
    return [(names.get(person, "somebody"), tuple(done)) for person, done in deeds.items()]


def _writers(release: Release) -> set[str]:
    digests = [pin["digest"] for pin in release.manifest["prompts"]]
    rows = PromptVersion.objects.filter(project_id=release.project_id, digest__in=digests)
    return {
        str(person)
        for authors, publisher in rows.values_list("authors", "published_by_id")
        for person in (*authors, publisher)
        if person
    }
