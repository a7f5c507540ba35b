"""Keys as text, from a row and back to it: how the journal, verdicts and the queue name rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Exists, F, Func, OuterRef, QuerySet, When
from django.db.models.lookups import Exact

from ..databases import database
from ..databases.tables import pk_fields, pk_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

    from ..databases.tables import Column


class KeyText(Func):
    """The primary key of a row as the journal, and verdicts, name it."""

    output_field = CharField()

    def __init__(self, model: type[Model]) -> None:
        super().__init__(*(F(name) for name in pk_names(model)))
        self.model = model

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]  # nothing here takes the options of Func
        dialect = database(connection.alias)
        keys = [compiler.compile(expression)[0] for expression in self.source_expressions]
        columns = dialect.table(self.model).pk
        return dialect.key_text(columns, keys), ()


class KeyColumn(Func):
    """One column of the primary key that a text names, comparable with the row's own.

    NULL for texts of other keys that the database could not read, as after the model was given
    this one; others may come to a key that is not named so (`is_named_in` looks again).
    """

    def __init__(self, text: F, number: int, columns: Sequence[Column], **extra: Any) -> None:
        super().__init__(text, **extra)
        self.number = number
        self.columns = columns

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]  # as above
        dialect = database(connection.alias)
        (text,) = (compiler.compile(expression)[0] for expression in self.source_expressions)
        key = dialect.from_key_text(text, self.number, self.columns)
        is_key = dialect.is_key_text(text, self.columns)
        return (f"CASE WHEN {is_key} THEN {key} END" if is_key else key), ()


def is_named_in(rows: QuerySet[Any], text: str, *of_model: str) -> Exists:
    """Whether one of the rows is the one that a text of the query around it names.

    ``text`` is the look-up of that text there. Where texts there name rows of several models,
    ``of_model`` is the look-up of the model's name, with the one that is meant. The rows are found
    by their primary key, so that it costs as much as there are texts, and not rows.
    """
    model = rows.model
    columns = database(rows.db).table(model).pk
    named = {
        field.attname: _of_model(
            KeyColumn(OuterRef(text), number, columns, output_field=field), *of_model
        )
        for number, field in enumerate(pk_fields(model))
    }
    # a text like 01 is read as the key 1, which is not called so
    return Exists(rows.filter(Exact(KeyText(model), OuterRef(text)), **named))


def _of_model(column: KeyColumn, lookup: str = "", label: str = "") -> Any:
    """NULL for names of other models: PostgreSQL may read those before it leaves them out."""
    return Case(When(Exact(OuterRef(lookup), label), then=column)) if lookup else column
