"""SQL for values: how they are compared, written down as text, read back, and put together.

Row values travel through the journal as *images*: a JSON array of the exact text of each value.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from django.db.models import UUIDField

from .statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .named_rows import NamedRows
    from .tables import Column, Table

_ROUNDING = re.compile("decimal|numeric|time|datetime|interval")


class Expressions(Statements, ABC):
    """What stands in a statement for a value or a condition."""

    def as_text(self, sql: str, definition: str) -> str:
        """SQL for a text that compares as one in a work table's column of this definition does."""
        _, collate, collation = definition.partition(" COLLATE ")
        return f"({sql}){collate}{collation}"

    def fits(self, column: Column, field: Any) -> str:
        """SQL that is true if a value computed for the column, under its name, fits; else empty.

        ``field`` is that of the column, if a model has it.
        """
        return ""

    joined_at_most: Sequence[str] = ()
    """The server's settings, in bytes, that cut off what `join_texts` joins."""

    def is_too_long(self, columns: Sequence[Column], alias: str) -> str:
        """SQL that is true for a row of which the server cannot make an image of these columns;
        empty if there is none."""
        return ""

    def sizes(self, columns: Sequence[Column], alias: str) -> Mapping[str, str]:
        """SQL for the bytes of a value, for each of the columns that can make an image too long."""
        return {}

    def unkept(self, table: Table, alias: str) -> Mapping[str, str]:
        """SQL that is true for a row that no undo could bring back, once deleted, as it was, by why
        not: whatever its columns hold."""
        return {}

    def sharing_keys(self, table: Table, alias: str) -> Mapping[str, str]:
        """SQL that is true for a row whose primary key another row has too, so that what is meant
        for one would be done to both, by how that can be."""
        return {}

    def unread(self, columns: Sequence[Column], alias: str) -> Mapping[str, str]:
        """SQL that is true for a row with a value, in one of these columns, of whose image another
        value would be read, by why."""
        return {}

    def literal(self, value: Any) -> str:
        """SQL for a value that Django passes as a parameter, safe among placeholders."""
        self.connection.ensure_connection()
        return str(self.connection.schema_editor().quote_value(value)).replace("%", "%%")

    def placeholder(self, column: Column) -> str:
        """What stands for a value that Django passes for a column."""
        return "%s"

    def as_stored(self, column: Column, sql: str) -> str:
        """SQL for a value as the column has it once it is written there, if its text differs.

        A whole number has decimal places in some columns.
        """
        return sql

    @abstractmethod
    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        """SQL for the image of these (column, SQL of its value) pairs."""

    @abstractmethod
    def from_image(self, image: str, position: int, column: Column) -> str:
        """SQL for one value of an image, of the column's own type."""

    @abstractmethod
    def is_kept(self, image: str, position: int, column: Column, value: str) -> str:
        """SQL that is true if a value of the column's own type says all that the image does.

        Not so where the column has another type by now, which rounds or cuts what is read.
        """

    def is_image(self, image: str, columns: Sequence[tuple[Column, str]]) -> str:
        """SQL that is true if the image of these (column, SQL of its value) pairs is this one."""
        return self.same_text(self.image(columns), image)

    @abstractmethod
    def key_text(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        """SQL for a primary key as the journal names it: exact, and readable where it can be."""

    @abstractmethod
    def as_held(self, sql: str, column: Column) -> str:
        """SQL for a value as a key's column has it, from what Django passes or from its text."""

    def unless_rounded(self, sql: str, column: Column) -> str:
        """`as_held` of what Django passes, or NULL where the column would hold something else."""
        held = self.as_held(sql, column)
        is_rounding = _ROUNDING.match(column.definition)
        return f"CASE WHEN {held} = {sql} THEN {held} END" if is_rounding else held

    @abstractmethod
    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        """SQL for one column of the primary key that `key_text` wrote."""

    def is_key_text(self, text: str, columns: Sequence[Column]) -> str:
        """SQL that is true for a text that `from_key_text` can read; empty if it reads all."""
        return ""

    def is_unnamed(self, columns: Sequence[Column], values: Sequence[str]) -> str:
        """SQL that is true for a key to which its `key_text` leads no way back; empty if all do."""
        return ""

    @abstractmethod
    def as_python_text(self, sql: str, field: Any) -> str:
        """SQL for a key as Python's ``str()`` writes it, which is how generic keys store it."""

    def uuid_texts(self, sql: str) -> tuple[str, str]:
        """SQL for a UUID as text, with hyphens and without."""
        written = self.as_python_text(sql, UUIDField())
        return written, f"REPLACE({written}, '-', '')"

    def alike_if_equal(self, column: Column) -> bool:
        """Whether values of this column that are equal are also the same to the letter."""
        return not column.is_text

    @abstractmethod
    def same(self, left: str, right: str, column: Column) -> str:
        """SQL that is true when two values are exactly the same, NULLs and case included."""

    @abstractmethod
    def exact(self, sql: str, column: Column) -> str:
        """SQL for a value that equals another only if both are the same to the letter."""

    def reading_again(self, rows: str, query: Callable[[str], str]) -> str:
        """SQL of a query that reads from the same rows more than once.

        ``query`` is given what stands in it for the rows: a table that still needs its alias.
        """
        # a name that no table of a project has: it would hide that table from the query
        return f"WITH dedupe_again AS ({rows}) {query('dedupe_again')}"

    def same_text(self, left: str, right: str) -> str:
        """SQL that is true when two texts are the same to the byte."""
        return f"{left} = {right}"

    def equal(self, left: Sequence[str], right: Sequence[str]) -> str:
        """SQL that is true when two (possibly composite) keys are equal."""
        return " AND ".join(f"{a} = {b}" for a, b in zip(left, right, strict=True))

    def join_on(self, alias: str, columns: Sequence[str], other: str, others: Sequence[str]) -> str:
        """SQL that is true when these columns of one alias equal those of another."""
        return self.equal(self.qualified(alias, columns), self.qualified(other, others))

    def matches(self, rows: NamedRows) -> str:
        """SQL that is true for a row (``t``) and the work table's row (``m``) that names it."""
        return self.join_on("t", list(rows.on), "m", list(rows.on.values()))

    def selecting(self, table: Table, rows: NamedRows) -> str:
        """SQL from FROM on, up to a condition: the rows, each beside what names it."""
        return (
            f"FROM {self.q(rows.source)} m {self.join} {self.q(table.name)} t"
            f" ON {self.matches(rows)} WHERE {' AND '.join(rows.conditions) or '1 = 1'}"
        )

    def blank(self, sql: str, column: Column) -> str:
        """SQL that is true for a NULL, or an empty string in a text column."""
        if column.is_text:
            return f"({sql} IS NULL OR LENGTH({sql}) = 0)"
        return f"{sql} IS NULL"

    def blank_in(self, alias: str, column: Column) -> str:
        """The same of a column of the table under that alias."""
        return self.blank(f"{alias}.{self.q(column.name)}", column)

    def total(self, sql: str, column: Column, places: int | None) -> str:
        """SQL for the sum of a column's numbers in a group: exact, or one that does not fit.

        ``places`` are those of a decimal's fraction.
        """
        return f"SUM({sql})"

    def characters(self, sql: str) -> str:
        """SQL for the number of characters of a text."""
        return f"LENGTH({sql})"

    @abstractmethod
    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        """A query for ``keys`` and the joined ``value`` of these rows (``y``), by ``place``."""

    @abstractmethod
    def json_text(self, sql: str, path: Sequence[str]) -> str:
        """SQL for the text of the number or string at a path of a JSON value."""

    @abstractmethod
    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        """SQL for a JSON value with another key at a path: a number where one stood there."""

    def array_replaced(self, sql: str, source: str) -> str:
        """SQL for an array with each member of a mapping replaced by its survivor."""
        raise NotImplementedError(f"{self.connection.display_name} has no arrays")

    join = "JOIN"
    """Joins a small work table (left) with a large table (right), by the latter's index."""


def json_path(path: Sequence[str]) -> str:
    """A path as the JSON functions of SQLite, MariaDB and MySQL take it, as an SQL literal."""
    steps = (f"[{name}]" if name.isdigit() else f'."{name}"' for name in path)
    return "'$" + "".join(steps).replace("'", "''").replace("%", "%%") + "'"
