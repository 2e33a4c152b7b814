"""Replays: a story of days told in minutes, on an instance of its own whose clock is stepped. Real parts decide."""
