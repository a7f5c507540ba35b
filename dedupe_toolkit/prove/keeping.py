"""What keeps a key unique on a scratch copy: its constraint, or columns where there can be none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections

from ..databases import database
from ..databases.constraints import enforces
from ..databases.trying import row_with, rule_on
from ..source.constraints import constraint_for, refuse_untenable, refuse_wrong
from ..source.generated import fields_read, new_fields, refuse_uncarried, with_columns

if TYPE_CHECKING:
    from ..values import MatchKey


def refuse_unkept(key: MatchKey, using: str) -> None:
    """Raises `ConstraintRefused`, with the reason, for a key that the database cannot keep."""
    if _has_constraint(key, using):
        refuse_untenable(key, constraint_for(key), using)
    else:
        refuse_uncarried(key, using)


def keeping(key: MatchKey, table: str, name: str, using: str) -> tuple[str, ...]:
    """The statements that make the key unique in that copy of its model's table."""
    if _has_constraint(key, using):
        rule = rule_on(table, database(using), key.model, constraint_for(key, name))
        return (str(rule),)
    found = database(using)
    columns = ", ".join(found.q(_column(key, each)) for each in with_columns(key))
    index = f"CREATE UNIQUE INDEX {found.q(name)} ON {found.q(table)} ({columns})"
    return (*_adding_columns(key, table, using), index)


def _has_constraint(key: MatchKey, using: str) -> bool:
    constraint = constraint_for(key)
    refuse_wrong(key.model, constraint, using)
    return enforces(connections[using], constraint)


def _adding_columns(key: MatchKey, table: str, using: str) -> list[str]:
    fields = new_fields(key, using)
    row = row_with(key.model, fields_read(key), fields)
    editor: Any = connections[using].schema_editor()
    statements = []
    for name in fields:
        field: Any = row._meta.get_field(name)
        # a table that is there can be given no other kind on SQLite
        field.db_persist = False
        sql, params = editor.column_sql(row, field)
        values = tuple(map(editor.quote_value, params))
        adding = f"ALTER TABLE {editor.quote_name(table)} ADD COLUMN {editor.quote_name(name)} "
        statements.append(adding + (sql % values if values else sql))
    return statements


def _column(key: MatchKey, name: str) -> str:
    fields: Any = key.model._meta.local_concrete_fields
    return next((str(field.column) for field in fields if field.name == name), name)
