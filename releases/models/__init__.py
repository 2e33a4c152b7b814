"""Releases and how they travel, one noun per file."""

from releases.models.deployments import Deployment, LivePeriod
from releases.models.policies import EnvironmentPolicy
from releases.models.promotions import Evidence, Promotion, Vote
from releases.models.releases import Release
from releases.models.rollouts import Measurement, Rollout, RolloutDecision

__all__ = [
    "Deployment",
    "EnvironmentPolicy",
    "Evidence",
    "LivePeriod",
    "Measurement",
    "Promotion",
    "Release",
    "Rollout",
    "RolloutDecision",
    "Vote",
]
