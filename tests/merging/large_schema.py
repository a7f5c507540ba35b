"""Schemas of any size for single tests: an owner, and the tables that may point at it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState

from benchmarks.wide.schema import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

Model = type[models.Model]


@dataclass(frozen=True)
class Schema:
    """The owner's model, and those of the tables that can point at it."""

    owner: Model
    referring: list[Model]

    def owners(self, number: int) -> list[Any]:
        """So many of one name."""
        return [self.owner._base_manager.create(name="a") for _ in range(number)]

    def point(self, model: Model, owner: Any, **values: Any) -> Any:
        """A row that points at an owner, by whatever its table has for it."""
        names = {field.name for field in model._meta.get_fields()}
        rows = model._base_manager
        if "owners" in names:
            row = rows.create(**values)
            row.owners.add(owner)
            return row
        if "owner" in names:
            return rows.create(owner=owner, **values)
        kind = ContentType.objects.get(app_label=self.owner._meta.app_label, model="owner")
        return rows.create(content_type_id=kind.pk, object_id=owner.pk, **values)


@contextmanager
def schema_of(references: int) -> Iterator[Schema]:
    """A schema with as many references to an owner, there until the end of the block."""
    label = f"wide{references}"
    state = ProjectState()
    state.add_model(ModelState.from_model(ContentType))
    key, name = models.BigAutoField(primary_key=True), models.CharField(max_length=50)
    state.add_model(ModelState(label, "Owner", [("id", key), ("name", name)]))
    found = list(tables(references, f"{label}.Owner"))
    for table, fields, options in found:
        listed = [("id", models.BigAutoField(primary_key=True)), *fields.items()]
        state.add_model(ModelState(label, table, listed, options))
    made = list(state.apps.get_app_config(label).get_models())
    with connection.schema_editor() as editor:
        for model in made:
            editor.create_model(model)
    types = [ContentType(app_label=label, model=model._meta.model_name) for model in made]
    ContentType.objects.bulk_create(types)
    # an undo looks for models by their names
    apps.app_configs[label] = state.apps.get_app_config(label)
    try:
        referring = [state.apps.get_model(label, name) for name, *_ in found[:references]]
        yield Schema(state.apps.get_model(label, "Owner"), referring)
    finally:
        del apps.app_configs[label]
        ContentType.objects.filter(app_label=label).delete()
        with connection.schema_editor() as editor:
            for model in reversed(made):
                editor.delete_model(model)
