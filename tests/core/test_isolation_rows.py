"""For each foreign key between rows of projects: Postgres refuses one that crosses the border.

The pairs are read from the models, and rows are made by their fields, so that a new table is covered from its first day.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from promptstore.core import clock
from promptstore.core.contracts import tenant_foreign_keys
from promptstore.core.ids import uuid7
from promptstore.core.models import ApiKey, Project, TenantModel
from registry.models import ModelVersion

_numbers = count(1)
# What the fields alone do not say, because a check constraint does.
_KIND_OF_ROW: dict[type[models.Model], dict[str, Any]] = {
    ApiKey: {"kind": "service"},
    ModelVersion: {"snapshot_at": datetime(2026, 1, 1, tzinfo=UTC)},
}
_NEEDED: dict[type[models.Model], list[str]] = {ApiKey: ["environment"]}

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
        if isinstance(field, models.UUIDField):
            return uuid7()
        if isinstance(field, models.CharField | models.TextField):
            return f"x{next(_numbers)}"
        if isinstance(field, models.DateTimeField):
            return clock.now()
        if isinstance(field, models.JSONField):
            return {}
        if isinstance(field, models.BinaryField):
            return b"x"
        if isinstance(field, models.IntegerField | models.FloatField):
            return next(_numbers)
        raise AssertionError(f"say how a {type(field).__name__} is filled")


def label(value: Any) -> str:
    return value._meta.label if isinstance(value, type) else str(value.name)


def check_now() -> None:
    """Deferred constraints are due at the commit; ask for them here."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def is_foreign_key(error: IntegrityError, name: str) -> bool:
    diagnosis = error.__cause__.diag  # type: ignore[union-attr]
    return bool(diagnosis.sqlstate == "23503" and diagnosis.constraint_name == name)


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "field"), BORDERS, ids=label)
def test_a_row_cannot_point_at_another_projects_row(
    model: type[models.Model], field: models.ForeignKey[Any, Any]
) -> None:
    ours, theirs, third = Maker("acme"), Maker("umbrella"), Maker("initech")
    third.new(model, **{field.name: third.one(field.related_model)})
    check_now()  # so it is the border that refuses the next one
    target = theirs.one(field.related_model)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ours.new(model, **{field.name: target})
        check_now()
    assert is_foreign_key(refused.value, f"{model._meta.db_table}_{field.column}_tenant"[:63])


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
    with pytest.raises(IntegrityError), transaction.atomic():
        model._base_manager.filter(pk=row.pk).update(**{field.name: theirs.one(field.related_model)})
        check_now()
    with pytest.raises(IntegrityError), transaction.atomic():
        model._base_manager.filter(pk=row.pk).update(project=theirs.project)
        check_now()


def test_the_borders_are_found() -> None:
    assert len(BORDERS) > 20
