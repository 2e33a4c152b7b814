from __future__ import annotations

from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel


class SourceScan(TenantModel, InsertOnlyModel):
    """What one scan of a source tree found: how many call sites go through a gateway, and each of them.

    `source` names the tree, usually a repository; `scanned_at` is the scanner's clock. `sites` and `unread` hold what
    `registry.scans` describes. The latest scan of a source by `scanned_at` counts, the others are its history.
    """

    source = models.CharField(max_length=200)
    revision = models.CharField(max_length=80, default="", blank=True)
    scanned_at = models.DateTimeField()
    files = models.PositiveIntegerField()
    governed = models.PositiveIntegerField()
    ungoverned = models.PositiveIntegerField()
    ignored = models.PositiveIntegerField()
    sites = models.JSONField()
    unread = models.JSONField(default=list)
    reported_by = models.CharField(max_length=160)

    class Meta:
        indexes = [models.Index(fields=["project", "source", "-scanned_at"], name="scan_by_source")]

    def __str__(self) -> str:
        return f"{self.source}@{self.revision[:12]}" if self.revision else self.source
