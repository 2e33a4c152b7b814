"""`promptctl demo`: something to watch."""

from __future__ import annotations

from cyclopts import App

from promptstore.cli.demo import command

app = App(name="demo", help="The demo project `acme`.", help_format="markdown")
app.command(command.traffic)
