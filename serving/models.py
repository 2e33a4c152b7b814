"""What serving nodes read. The tables are the contract between the planes; `serving.feed` reads them without Django."""

from __future__ import annotations

from django.db import models

from promptstore.core import clock
from promptstore.core.models import InsertOnlyModel


class Document(InsertOnlyModel):
    """A content-addressed document: one feature in one environment, or an environment's node document."""

    digest = models.CharField(max_length=71, primary_key=True)
    kind = models.CharField(max_length=10)
    body = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.digest


class Root(InsertOnlyModel):
    """The signed list of an environment's documents, ordered by `(epoch, generation)`."""

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    project = models.CharField(max_length=63)
    environment_slug = models.CharField(max_length=63, db_column="environment")
    epoch = models.PositiveIntegerField()
    generation = models.BigIntegerField()
    body = models.BinaryField()
    signature = models.BinaryField()
    key_id = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "epoch", "generation"], name="root_generation_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project}/{self.environment_slug} {self.epoch}.{self.generation}"


class Node(models.Model):
    """A serving node that registered itself with the public half of its own key."""

    name = models.CharField(max_length=120, primary_key=True)
    public_key = models.BinaryField()
    seen_at = models.DateTimeField()
    generation = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class NodeCredential(models.Model):
    """A provider credential sealed to one node's key (libsodium sealed box)."""

    id = models.BigAutoField(primary_key=True)
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="+", db_column="node")
    endpoint_id = models.UUIDField()
    revision = models.PositiveIntegerField()
    public_key = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "endpoint_id"], name="one_credential_per_node")
        ]
