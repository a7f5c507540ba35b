"""Query sets that read from common table expressions, which Django does not write. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models.expressions import RawSQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.db.models.fields import Field


@dataclass(frozen=True, kw_only=True)
class CommonTable:
    """A query under a name. Its columns are called as the query calls them."""

    name: str
    sql: str
    params: tuple[Any, ...] = ()

    @classmethod
    def of(cls, name: str, rows: QuerySet[Any]) -> CommonTable:
        sql, params = compiled(rows)
        return cls(name=name, sql=sql, params=params)

    def column(self, name: str, output_field: Field[Any, Any] | None = None) -> RawSQL:
        """One of its columns, for query sets that are joined with it."""
        return RawSQL(f"{self.name}.{name}", [], output_field)  # noqa: S611  # names of our own


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Rows beside those of common tables, of which each may read from those before it."""

    rows: QuerySet[Any]
    tables: tuple[CommonTable, ...] = ()

    def sql(self) -> tuple[str, list[Any]]:
        return with_tables(self.tables, *compiled(self.rows))

    def fetch(self) -> list[tuple[Any, ...]]:
        """All rows, their values as models hold them.

        Not by a cursor on the server: PostgreSQL plans those to answer early.
        """
        compiler = _compiler(self.rows)
        sql, params = with_tables(self.tables, *compiler.as_sql())
        with connections[self.rows.db].cursor() as cursor:
            cursor.execute(sql, params)
            return list(compiler.results_iter([cursor.fetchall()], tuple_expected=True))


def with_tables(
    tables: Sequence[CommonTable], sql: str, params: Sequence[Any] = ()
) -> tuple[str, list[Any]]:
    """A query that reads from common tables, with these before it."""
    if not tables:
        return sql, list(params)
    defined = ", ".join(f"{table.name} AS ({table.sql})" for table in tables)
    given = [param for table in tables for param in table.params]
    return f"WITH {defined} {sql}", [*given, *params]


def reading_from(table: CommonTable, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows, each as often as the common table has rows: say which belong together."""
    found: QuerySet[Any] = rows.extra(tables=[table.name])  # noqa: S610  # names of our own
    return found


def compiled(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    """The SQL of a query set, to stand in other SQL, and its parameters."""
    sql, params = _compiler(rows).as_sql()
    return sql, tuple(params)


def _compiler(rows: QuerySet[Any]) -> Any:
    # a condition that nothing can meet is SQL like any other: as part of a query it must stay
    return rows.query.get_compiler(rows.db, elide_empty=False)
