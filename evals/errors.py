"""What evaluations refuse, with stable codes. Every refusal changed nothing."""

from __future__ import annotations

from promptstore.core.errors import Conflict


class NoBaseline(Conflict):
    """A run without enough answers cannot be what later ones are compared with."""

    code = "no_baseline"
    title = "This run cannot be a baseline"
