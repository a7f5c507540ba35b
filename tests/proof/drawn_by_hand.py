"""Foreign keys made by hand, which act by themselves: of tables without a model, and of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from hypothesis import strategies as st

from .kinds import TEXT
from .schema import LABEL
from .tables import ANY, Table, To

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.models import Model

DELETING = ("", "ON DELETE CASCADE", "ON DELETE RESTRICT", "ON DELETE NO ACTION")
MOVING = ("", "ON UPDATE CASCADE", "ON UPDATE RESTRICT")
EMPTYING = ("ON DELETE SET NULL", "ON UPDATE SET NULL")
LATER = ("", " DEFERRABLE INITIALLY DEFERRED") if connection.vendor == "postgresql" else ("",)


@st.composite
def unknown(draw: Any, tables: list[Table]) -> list[Table]:
    """Up to two tables that point at some of these: by their keys, or another unique column."""
    return [
        draw(_pointing(name, draw(st.sampled_from(tables))))
        for name in ("alien", "outer")[: draw(st.integers(1, 2))]
    ]


@st.composite
def _pointing(draw: Any, name: str, target: Table) -> Table:
    is_nullable = draw(st.booleans())
    columns = tuple(f"at_{part}" for part in target.composite)
    to = To(
        target.name,
        by="" if columns else draw(st.sampled_from(("", *_unique_columns(target)))),
        is_nullable=is_nullable,
        columns=columns,
        acts=draw(_actions(is_nullable)) + draw(st.sampled_from(LATER)),
    )
    column = "at" if columns else "at_id"
    rule = draw(st.sampled_from(((), ((column, "label"),))))
    values = {"label": LABEL}
    return Table(name, {column: to}, values, rule, kinds={"label": TEXT}, is_unknown=True)


@st.composite
def _actions(draw: Any, is_nullable: bool) -> str:
    return " ".join(
        draw(st.sampled_from((*actions, *([emptying] if is_nullable else []))))
        for actions, emptying in zip((DELETING, MOVING), EMPTYING, strict=True)
    )


@st.composite
def acting(draw: Any, table: Table) -> Table:
    """The table, sometimes with foreign keys that act by themselves though its model has them.

    Not those that are a row's own key, or are computed with: there nothing could follow. What
    points at a value only refuses: else no survivor could take that over.
    """
    found = dict(table.references)
    fixed = {table.key, *table.composite, *table.links}
    for column, to in table.references.items():
        is_plain = to.is_checked and to.table not in (ANY, table.name) and not to.columns
        if is_plain and not (table.computed or column in fixed or draw(st.integers(0, 3))):
            acts = MOVING[0] if to.by else draw(_actions(to.is_nullable))
            found[column] = replace(to, acts=f"{acts} {LATER[-1]}")
    return replace(table, references=found)


def _unique_columns(table: Table) -> list[str]:
    """Columns beside the key at which others may point."""
    alone = [rule[0] for rule in table.unique if len(rule) == 1 and rule[0] != table.key]
    return [column for column in alone if column in table.values]


def make_by_hand(editor: BaseDatabaseSchemaEditor, table: Table, model: type[Model]) -> None:
    """The table of a model, with the foreign keys that Django does not make."""
    made, options = editor.table_sql(model)
    keys = [_key(table, column, model) for column, to in table.references.items() if to.acts]
    editor.execute(f"{made[:-1]}, {', '.join(keys)})", options)


def _key(table: Table, column: str, model: type[Model]) -> str:
    quote = connection.ops.quote_name
    relation: Any = model._meta.get_field(column.removesuffix("_id"))
    here = ", ".join(quote(field.column) for field, _ in relation.related_fields)
    there = ", ".join(quote(field.column) for _, field in relation.related_fields)
    target = quote(relation.related_model._meta.db_table)
    return (
        f"CONSTRAINT proof_{table.name}_{column} FOREIGN KEY ({here})"
        f" REFERENCES {target} ({there}) {table.references[column].acts}"
    )
