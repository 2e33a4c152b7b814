"""`promptctl releases`: compose, promote, approve, watch, steer, prove."""

from __future__ import annotations

from cyclopts import App

from promptstore.cli.releases import bundles, composing, promotions, rollouts, status

app = App(
    name="releases",
    help="Compose releases, bring them to an environment, decide about them, steer their rollouts.",
    help_format="markdown",
)
app.command(composing.create)
app.command(promotions.promote)
app.command(promotions.approve)
app.command(promotions.reject)
app.command(status.status)
app.command(rollouts.pause)
app.command(rollouts.resume)
app.command(rollouts.advance)
app.command(rollouts.rollback)
app.command(bundles.bundle)
app.command(bundles.verify_bundle)
