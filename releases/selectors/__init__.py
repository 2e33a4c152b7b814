"""Reads of releases, promotions and rollouts."""
