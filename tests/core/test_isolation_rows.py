"""For each foreign key between rows of projects: Postgres refuses one that crosses the border.

The pairs are read from the models, and rows are made by their fields, so that a new table is covered from its first day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from evals.models import ProbeRun
from incidents.models import Delivery
from promptstore.core import clock
from promptstore.core.contracts import tenant_foreign_keys
from promptstore.core.ids import uuid7
from promptstore.core.models import ApiKey, Project, TenantModel
from registry.models import DatasetCase, ModelVersion

_numbers = count(1)
# What the fields alone do not say, because a check constraint does.
_KIND_OF_ROW: dict[type[models.Model], dict[str, Any]] = {
    ApiKey: {"kind": "service"},
    DatasetCase: {"content": {}, "salt": "x"},
    ModelVersion: {"snapshot_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ProbeRun: {"outcome": "baseline"},
}
_NEEDED: dict[type[models.Model], list[str]] = {ApiKey: ["environment"], Delivery: ["channel"]}

_VALUES: list[tuple[Any, Callable[[], Any]]] = [
    (models.UUIDField, uuid7),
    (models.CharField | models.TextField, lambda: f"x{next(_numbers)}"),
    (models.DateTimeField, clock.now),
    (models.JSONField, dict),
    (models.BinaryField, lambda: b"x"),
    (models.IntegerField | models.FloatField, lambda: next(_numbers)),
]

BORDERS = [
    (model, field)
    for model in apps.get_models()
    if issubclass(model, TenantModel) and model._meta.managed
    for field in tenant_foreign_keys(model)
]


class Maker:
    """Rows of one project with nothing in them but what the database insists on."""

    def __init__(self, slug: str) -> None:
        self.project = Project.objects.create(slug=slug, name=slug)
        self._made: dict[type[models.Model], models.Model] = {}

    def one(self, model: type[models.Model]) -> models.Model:
        """The project's row of `model`, made on first use."""
        if model is Project:
            return self.project
        if model not in self._made:
            self._made[model] = self.new(model)
        return self._made[model]

    def new(self, model: type[models.Model], /, **given: Any) -> models.Model:
        values = {**_KIND_OF_ROW.get(model, {}), **given}
        for field in model._meta.concrete_fields:
            if field.name not in values and self._must_be_filled(model, field):
                values[field.name] = self._value(field)
        row = model(**values)
        row.save(force_insert=True)
        return row

    @staticmethod
    def _must_be_filled(model: type[models.Model], field: models.Field[Any, Any]) -> bool:
        if field.name in _NEEDED.get(model, []):
            return True
        return not (field.null or field.has_default() or isinstance(field, models.AutoField))

    def _value(self, field: models.Field[Any, Any]) -> Any:
        if isinstance(field, models.ForeignKey):
            return self.one(field.related_model)
        if field.choices:
            return field.flatchoices[0][0]
        fitting = [make for kinds, make in _VALUES if isinstance(field, kinds)]
        assert fitting, f"say how a {type(field).__name__} is filled"
        return fitting[0]()


def label(value: Any) -> str:
    return str(value._meta.label if hasattr(value, "_meta") else value.name)


def check_now() -> None:
    """Deferred constraints are due at the commit; ask for them here."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refusal(change: Callable[[], Any]) -> IntegrityError:
    """What Postgres says to a change at its commit."""
    try:
        with transaction.atomic():
            change()
            check_now()
    except IntegrityError as refused:
        return refused
    raise AssertionError("the change was accepted")


def is_foreign_key(error: IntegrityError, name: str | None = None) -> bool:
    """Whether it was a foreign key that refused, and the one of that name."""
    diagnosis = error.__cause__.diag  # type: ignore[union-attr]
    return diagnosis.sqlstate == "23503" and name in {None, diagnosis.constraint_name}


def is_immutable(error: IntegrityError) -> bool:
    """Whether a trigger refused because such a row never changes."""
    return bool(error.__cause__.diag.sqlstate == "23000")  # type: ignore[union-attr]


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "field"), BORDERS, ids=label)
def test_a_row_cannot_point_at_another_projects_row(
    model: type[models.Model], field: models.ForeignKey[Any, Any]
) -> None:
    ours, theirs, third = Maker("acme"), Maker("umbrella"), Maker("initech")
    third.new(model, **{field.name: third.one(field.related_model)})
    check_now()  # so it is the border that refuses the next one
    target = theirs.one(field.related_model)
    refused = refusal(lambda: ours.new(model, **{field.name: target}))
    assert is_foreign_key(refused, f"{model._meta.db_table}_{field.column}_tenant"[:63])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "field"),
    [(m, f) for m, f in BORDERS if not getattr(m, "insert_only", False)],
    ids=label,
)
def test_a_row_that_exists_cannot_be_turned_towards_another_project(
    model: type[models.Model], field: models.ForeignKey[Any, Any]
) -> None:
    ours, theirs = Maker("acme"), Maker("umbrella")
    row = ours.new(model, **{field.name: ours.one(field.related_model)})
    check_now()
    target, found = theirs.one(field.related_model), model._base_manager.filter(pk=row.pk)
    name = f"{model._meta.db_table}_{field.column}_tenant"[:63]
    for changed, foreign_key in (({field.name: target}, name), ({"project": theirs.project}, None)):
        refused = refusal(lambda changed=changed: found.update(**changed))  # type: ignore[misc]
        assert is_foreign_key(refused, foreign_key) or is_immutable(refused)


def test_the_borders_are_found() -> None:
    assert len(BORDERS) > 20
