from __future__ import annotations


class PolicyError(ValueError):
    """A policy that this product does not evaluate. `field` names the place, such as `banned[2].pattern`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
