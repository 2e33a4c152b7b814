"""Everything that changes a release's way. One noun per file; each function is the one door for its change."""

from releases.services.bundles import make_bundle
from releases.services.checks import finish_checks
from releases.services.deployments import adopt_release, return_to_release
from releases.services.policies import change_policy
from releases.services.promotions import (
    cancel_promotion,
    change_plan,
    recheck_promotion,
    request_promotion,
)
from releases.services.releases import compose_release
from releases.services.rollouts import (
    advance_rollout,
    pause_rollout,
    resume_rollout,
    roll_back,
    start_rollout,
)
from releases.services.starting import expire_promotions, start_promotion
from releases.services.votes import approve_promotion, reject_promotion

__all__ = [
    "adopt_release",
    "advance_rollout",
    "approve_promotion",
    "cancel_promotion",
    "change_plan",
    "change_policy",
    "compose_release",
    "expire_promotions",
    "finish_checks",
    "make_bundle",
    "pause_rollout",
    "recheck_promotion",
    "reject_promotion",
    "request_promotion",
    "resume_rollout",
    "return_to_release",
    "roll_back",
    "start_promotion",
    "start_rollout",
]
