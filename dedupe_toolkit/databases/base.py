"""The SQL that every database shares, and the names of the parts in which they differ.

Row values travel through the journal as *images*: a JSON array of the exact text of each
value. Every method that takes or returns SQL works on text with ``%s`` placeholders.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.db.utils import DatabaseError, DataError, IntegrityError, InternalError

from .catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model

    from .tables import Column, Table


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """Rows just inserted: how many, and the keys between which they lie, if there are any.

    Among them may be rows that others have inserted at the same time.
    """

    rows: int
    first: int
    last: int


class Database(Catalogue):
    """One connection, and how its database spells what a merge needs."""

    batch_size = 2_500
    """Groups in one transaction, unless a person says otherwise: see the page on performance."""

    is_alone_in_batch = False
    """Whether nobody else can write from the first statement of a batch that does to its end."""

    cuts_lists = False
    """Whether lists can be too long to be collected: see `CollectedKeys`."""

    @property
    def unpacks(self) -> bool:
        """Whether lists of keys that have been collected (`CollectedKeys`) can be `unpacked`."""
        return True

    @staticmethod
    def count_of_rows(model: type[Model]) -> Count:
        """The aggregate that counts the model's rows in a GROUP BY."""
        return Count("*")

    # -- running SQL ---------------------------------------------------------------------

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute one statement; returns the number of rows it changed."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        return self.fetch(sql, params)[0][0]

    def q(self, name: str) -> str:
        """The name, quoted, and safe among placeholders."""
        return str(self.connection.ops.quote_name(name)).replace("%", "%%")

    def qualified(self, alias: str, columns: Sequence[str]) -> list[str]:
        return [f"{alias}.{self.q(column)}" for column in columns]

    @abstractmethod
    def insert_numbered(self, insert: str, table: str, params: Sequence[Any]) -> Numbered:
        """Execute an INSERT into a table of the package, whose keys (``id``) are counted up."""

    # -- work tables ---------------------------------------------------------------------

    @abstractmethod
    def create_work_table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        primary_key: Sequence[str],
        indexes: Sequence[str] = (),
    ) -> None:
        """A new temporary table; one of that name left by an earlier merge is dropped first.

        Never ends the transaction, which rules out any later DDL on MariaDB and MySQL. Where
        there can be some, the indexes are made by `settle`.
        """

    @abstractmethod
    def drop_work_table(self, name: str) -> None: ...

    def settle(self, name: str, indexes: Sequence[str] = ()) -> None:
        """A work table is filled: make the indexes it was created for, and tell the planner."""

    def text_like(self, column: Column) -> str:
        """A type for work tables that compares with a text column, and can be indexed."""
        return column.definition

    @abstractmethod
    def unpacked(self, keys: str, column: Column) -> str:
        """SQL for a table with a column ``value``: the keys of a collected list."""

    @contextmanager
    def hashing_groups(self) -> Iterator[None]:
        """Inside, rows are hashed by the values they are grouped by, and not sorted."""
        yield

    def as_text(self, sql: str, definition: str) -> str:
        """SQL for a text that compares as one in a work table's column of this definition does."""
        _, collate, collation = definition.partition(" COLLATE ")
        return f"({sql}){collate}{collation}"

    def index_part(self, column: Column) -> str:
        """A column as ``CREATE INDEX`` takes it."""
        return self.q(column.name)

    # -- values --------------------------------------------------------------------------

    @abstractmethod
    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        """SQL for the image of these (column, SQL of its value) pairs."""

    image_type = "text"
    """The type of a work table's column that holds images."""

    @abstractmethod
    def from_image(self, image: str, position: int, column: Column) -> str:
        """SQL for one value of an image, of the column's own type."""

    @abstractmethod
    def key_text(self, columns: Sequence[tuple[Column, str]]) -> str:
        """SQL for a primary key as the journal names it: exact, and readable where it can be."""

    @abstractmethod
    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        """SQL for one column of the primary key that `key_text` wrote."""

    @abstractmethod
    def as_python_text(self, sql: str, field: Any) -> str:
        """SQL for a key as Python's ``str()`` writes it, which is how generic keys store it."""

    def alike_if_equal(self, column: Column) -> bool:
        """Whether values of this column that are equal are also the same to the letter."""
        return not column.is_text

    @abstractmethod
    def same(self, left: str, right: str, column: Column) -> str:
        """SQL that is true when two values are exactly the same, NULLs and case included."""

    def same_text(self, left: str, right: str) -> str:
        """SQL that is true when two texts are the same to the byte."""
        return f"{left} = {right}"

    def equal(self, left: Sequence[str], right: Sequence[str]) -> str:
        """SQL that is true when two (possibly composite) keys are equal."""
        return " AND ".join(f"{a} = {b}" for a, b in zip(left, right, strict=True))

    def matches(self, on: Mapping[str, str]) -> str:
        """SQL that is true for a row (``t``) and the work table's row (``m``) that names it."""
        return self.equal(self.qualified("t", list(on)), self.qualified("m", list(on.values())))

    def blank(self, sql: str, column: Column) -> str:
        """SQL that is true for a NULL, or an empty string in a text column."""
        if column.is_text:
            return f"({sql} IS NULL OR LENGTH({sql}) = 0)"
        return f"{sql} IS NULL"

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

    # -- statements that differ ----------------------------------------------------------

    join = "JOIN"
    """Joins a small work table (left) with a large table (right), by the latter's index."""

    @abstractmethod
    def update(
        self,
        table: str,
        assignments: Mapping[str, str],
        *,
        source: str,
        on: Mapping[str, str],
        where: str = "",
        where_source: str = "",
        params: Sequence[Any] = (),
    ) -> int:
        """Set columns of ``table`` (alias ``t``) from columns of a work table (alias ``m``).

        ``assignments`` and ``on`` map columns of the table to columns of the work table;
        ``where`` may speak of ``t`` only, ``where_source`` of ``m`` only.
        """

    @abstractmethod
    def delete(
        self, table: str, *, source: str, on: Mapping[str, str], where_source: str = ""
    ) -> int:
        """Delete the rows of ``table`` that a work table (alias ``m``) names."""

    @abstractmethod
    def lock_rows(self, table: Table, source: str, on: Mapping[str, str]) -> None:
        """Keep others from changing, deleting or newly referencing the rows until commit."""

    def begin_batch(self) -> None:
        """First thing in a transaction: let each statement see what others have committed by then.

        A merge locks rows and looks what points at them. A snapshot older than the locks, as
        stricter isolation levels keep one, would hide what came in between.
        """

    def expect_few_rows(self) -> None:
        """For the rest of a transaction: its statements find few rows of large tables."""

    def check_constraints_now(self) -> None:
        """Let a foreign key or unique rule that is broken fail here and not at commit."""

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        """Lets a row take a new primary key before the rows that point at it follow.

        Nothing to do where foreign keys are checked at commit, as Django declares them.
        """
        yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        """Hold a lock of that name, freed however the process ends; yields whether it is ours."""
        yield True

    def own_writes(self) -> Any:
        """A value that is the same again only if this connection has written nothing since."""
        return object()

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Around a plan, where `others_commits` must know which writes are the plan's own."""
        yield

    def others_commits(self, own: int = 0) -> Any:
        """A value that is the same again only if no other connection has committed since.

        Asked first thing in `planning`, and again in a transaction that has written and is the
        ``own``-th of this connection since.
        """
        return object()

    def blames_rows(self, error: DatabaseError) -> bool:
        """Whether the database refuses what some row would become."""
        return isinstance(error, IntegrityError | DataError | InternalError)

    def is_passing(self, error: DatabaseError) -> bool:
        """Whether the same statements may succeed when tried again: a deadlock, a busy database."""
        return False


def json_path(path: Sequence[str]) -> str:
    """A path as the JSON functions of SQLite, MariaDB and MySQL take it, as an SQL literal."""
    steps = (f"[{name}]" if name.isdigit() else f'."{name}"' for name in path)
    return "'$" + "".join(steps).replace("'", "''").replace("%", "%%") + "'"
