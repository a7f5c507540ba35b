"""The rows of a match key, as query sets: candidates, repeated values, ranks. Reads nothing itself.

What is done with ``rows`` begins with `candidates`, or with those of them that are offered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Count, F, Func, Lookup, QuerySet, Subquery, Window
from django.db.models.functions import FirstValue, RowNumber

from ..databases import count_of_rows
from ..databases.collecting import CollectedKeys
from ..databases.tables import pk_names
from ..keys import ends_in_text, source_of_nulls
from ..values import Blanks, MatchKey, Nulls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model
    from django.db.models.expressions import RawSQL

    from ..databases.common_tables import Joined


def candidates(key: MatchKey, using: str) -> QuerySet[Any]:
    """The rows that can be duplicates, annotated with the key's values (see `key_columns`).

    A plain query set, not a manager of the model's: no manager may hide a row that the
    unique constraint would count.
    """
    rows = _chosen(key, using)
    for column, lookup in zip(key_columns(key), key.fields, strict=True):
        rows = rows.annotate(**{column: F(lookup)})
        # of the field where that is the same: the database would compute the value again
        is_there = {f"{source_of_nulls(key.model, lookup) or column}__isnull": False}
        if key.nulls is Nulls.DISTINCT:
            rows = rows.filter(**is_there)
        if key.blanks is Blanks.DISTINCT and ends_in_text(key.model, lookup):
            # no database says of a NULL that it is not empty, and here a NULL is not
            rows = rows.exclude(**is_there, **{column: ""})
    return rows.order_by()


def _chosen(key: MatchKey, using: str) -> QuerySet[Any]:
    """The rows that the key's condition chooses, each of them once."""
    every: QuerySet[Any] = QuerySet(key.model, using=using)
    chosen = every.filter(**dict(key.where))
    if any(_is_about_many(every, lookup) for lookup in dict(key.where)):
        # a join has a row once for each that it is related to, and so its own duplicate
        return every.filter(pk__in=chosen.order_by().values("pk"))
    return chosen


def _is_about_many(rows: QuerySet[Any], lookup: str) -> bool:
    path, *_ = rows.query.names_to_path(lookup.split("__"), rows.model._meta)
    return any(step.m2m for step in path)


def key_columns(key: MatchKey) -> list[str]:
    """The names under which `candidates` annotates the values of each key field."""
    return [f"dedupe_key_{number}" for number in range(len(key.fields))]


def repeated(key: MatchKey, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The key values that more than one row has, with the number of rows as ``dedupe_rows``."""
    return _repeated(key, rows, count_of_rows(key.model, rows.db))


def collected(key: MatchKey, rows: QuerySet[Any], first: Any) -> QuerySet[Any]:
    """The same with the keys of those rows as well: ``dedupe_pks``, a list in no order.

    ``first`` is the aggregate of the one that is ``dedupe_first``. For keys that are whole numbers.
    """
    # collecting has the database sort the rows, so that it may count them as they come
    groups = _repeated(key, rows, Count("*"))
    found: QuerySet[Any] = groups.annotate(dedupe_pks=CollectedKeys("pk"), dedupe_first=first("pk"))
    return found


def _repeated(key: MatchKey, rows: QuerySet[Any], count: Count) -> QuerySet[Any]:
    counted: QuerySet[Any] = rows.values(*key_columns(key)).annotate(dedupe_rows=count)
    return counted.filter(dedupe_rows__gt=1)


def repeating(key: MatchKey, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that share their key values with another: only under `Nulls.DISTINCT`.

    A row of values with a NULL among them is never found by IN.
    """
    columns = key_columns(key)
    return rows.filter(row_in(columns, RowQuery(repeated(key, rows).values(*columns))))


def ranked(rows: QuerySet[Any], groups: list[Any], ordering: list[Any]) -> QuerySet[Any]:
    """The rows with their place in their group (0 survives) and their survivor.

    ``groups`` are the expressions in which the rows of a group are equal.
    """
    window: dict[str, Any] = {"partition_by": groups, "order_by": ordering}
    survivors = {
        f"dedupe_survivor_{number}": Window(FirstValue(F(name)), **window)
        for number, name in enumerate(pk_names(rows.model))
    }
    place = Window(RowNumber(), **window) - 1
    ranks: QuerySet[Any] = rows.annotate(dedupe_place=place, **survivors)
    return ranks


def places(found: Joined) -> tuple[str, Sequence[Any]]:
    """SQL for the group's number, place, survivor's key and own key of `ranked` rows."""
    model = found.rows.model
    survivors = survivor_columns(model)
    columns = ("dedupe_place", *survivors, *pk_names(model))
    sql, params = replace(found, rows=found.rows.values_list(*columns)).sql()
    number = f"DENSE_RANK() OVER (ORDER BY {', '.join(survivors)})"
    return f"SELECT {number}, p.* FROM ({sql}) p", params


def members(key: MatchKey, rows: QuerySet[Any], ordering: list[Any]) -> QuerySet[Any]:
    """The ranked rows that share their key values with another row: those of duplicate groups."""
    columns = [F(column) for column in key_columns(key)]
    if key.nulls is Nulls.EQUAL:
        sized: QuerySet[Any] = ranked(rows, columns, ordering).annotate(dedupe_size=group_size(key))
        return sized.filter(dedupe_size__gt=1)
    # so that the windows sort the few rows that have duplicates, and not the table
    return ranked(repeating(key, rows), columns, ordering)


def group_size(key: MatchKey) -> Window:
    """How many rows share a row's key values."""
    return Window(Count("*"), partition_by=[F(column) for column in key_columns(key)])


def survivor_columns(model: type[Model]) -> list[str]:
    """The names under which `ranked` annotates each column of the survivor's primary key."""
    return [f"dedupe_survivor_{number}" for number in range(len(pk_names(model)))]


def row_in(columns: list[str], values: RowQuery | RawSQL, word: str = "IN") -> Func:
    """A condition on several columns at once: that a query has a row of their values.

    The query is answered once, and asked for each row.
    """
    return Func(
        _row(columns),
        values,
        template="%(expressions)s",
        arg_joiner=f" {word} ",
        output_field=_TRUTH,
    )


def found_in(columns: list[str], values: RowQuery) -> Lookup:
    """The same of a query for few rows, and of columns that may have an index to find them by."""
    return _FoundIn(_row(columns), values)


class _FoundIn(Lookup):
    """A look-up, since Django compares any other condition with 1 on MariaDB and MySQL.

    With that around it, they find nothing by an index.
    """

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        row, params = self.process_lhs(compiler, connection)
        values, more = self.process_rhs(compiler, connection)
        return f"{row} IN {values}", (*params, *more)


def _row(columns: list[str]) -> Any:
    return Func(*(F(name) for name in columns), template="(%(expressions)s)", output_field=_TRUTH)


class RowQuery(Subquery):
    """A query for rows of several columns. Of a plain subquery Django 6.1 asks the one type."""

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # or each parallel worker answers the whole query once more, for itself
        template = "(WITH dedupe_rows AS MATERIALIZED (%(subquery)s) SELECT * FROM dedupe_rows)"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # or MySQL moves the comparison into HAVING, and then refuses it there
        template = "(SELECT * FROM (%(subquery)s) dedupe_rows)"
        if connection.mysql_is_mariadb:
            return self.as_sql(compiler, connection, **extra)
        return self.as_sql(compiler, connection, template=template, **extra)


_TRUTH = BooleanField()
