"""`promptctl inventory`: what asks a model, on a server and in source trees. `promptctl scan` is short for its scan."""

from __future__ import annotations

from cyclopts import App

from promptstore.cli.inventory.listing import list_points
from promptstore.cli.inventory.scan import scan

app = App(name="inventory", help="Every place that asks a model: live and in source.", help_format="markdown")
app.command(list_points, name="list")
app.command(scan)
