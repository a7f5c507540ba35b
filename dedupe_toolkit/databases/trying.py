"""Try a unique rule on an empty copy of its table. Nothing is left behind, whatever comes of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.apps.registry import Apps
from django.db import transaction
from django.db.models import Field, Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import GeneratedField, UniqueConstraint

    from .base import Database

COPY = "dedupe_tried"


@contextmanager
def taken_back(database: Database) -> Iterator[None]:
    """What is done inside is undone at the end, in an outer transaction as well."""
    with transaction.atomic(using=database.using):
        yield
        transaction.set_rollback(True, using=database.using)


def make_on_copy(database: Database, model: type[Model], constraint: UniqueConstraint) -> str:
    """Make the rule as Django does, on the copy; returns the statement."""
    statement = rule_on(COPY, database, model, constraint)
    database.connection.schema_editor().execute(statement)
    return str(statement)


def rule_on(
    table: str, database: Database, model: type[Model], constraint: UniqueConstraint
) -> Any:
    """The statement by which Django makes the rule, on a copy of the model's table."""
    statement: Any = constraint.create_sql(model, database.connection.schema_editor())
    statement.rename_table_references(model._meta.db_table, table)
    return statement


def try_generated(
    database: Database,
    model: type[Model],
    names: Sequence[str],
    fields: Mapping[str, GeneratedField],
    unique: Sequence[str],
) -> None:
    """Make a table of these fields of the model, and new ones, with the unique rule.

    Nothing is left behind. Raises `DatabaseError` if the database refuses it.
    """
    table, q = database.table(model), database.q
    known = {name: table.column(str(model._meta.get_field(name).column)) for name in names}  # type: ignore[union-attr]  # key fields have columns
    counter = model._meta.auto_field
    defined = [
        database.counting(column)
        if counter is not None and name == counter.name
        else f"{q(column.name)} {column.definition}"
        for name, column in known.items()
    ]
    row = row_with(model, names, fields)
    editor: Any = database.connection.schema_editor()
    params: list[Any] = []
    for name in fields:
        sql, values = editor.column_sql(row, row._meta.get_field(name))
        defined.append(f"{q(name)} {sql}")
        params += values
    keyed = ", ".join(q(known[name].name if name in known else name) for name in unique)
    with taken_back(database):
        database.drop_work_table(COPY)
        database.run(
            f"CREATE TEMPORARY TABLE {COPY} ({', '.join(defined)}, UNIQUE ({keyed}))", params
        )
        database.drop_work_table(COPY)


def row_with(
    model: type[Model], names: Sequence[str], fields: Mapping[str, GeneratedField]
) -> type[Model]:
    """A model that has the new fields, for Django to write their SQL."""
    copies = {name: _column_alone(model._meta.get_field(name)) for name in names}
    meta = type("Meta", (), {"app_label": model._meta.app_label, "apps": Apps(), "db_table": COPY})
    new = {name: one.clone() for name, one in fields.items()}
    return type("Tried", (Model,), {"__module__": __name__, "Meta": meta, **copies, **new})


def _column_alone(field: Any) -> Any:
    """The field, but for a relation: that would look for its other side."""
    if not field.is_relation:
        return field.clone()
    column: Any = Field(db_column=field.column)
    # a condition calls it by either of its names
    column.get_attname = lambda: field.attname
    return column
