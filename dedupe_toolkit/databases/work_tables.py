"""Work tables: how they are made, filled and sorted, and the types of their columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .kept_tables import KeptTables, Shape
from .statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.utils import DatabaseError

    from .tables import Column


class WorkTables(Statements, ABC):
    """The temporary tables of a plan and a merge."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        self.kept = KeptTables()

    cuts_lists = False
    """Whether lists can be too long to be collected: see `CollectedKeys`."""

    @property
    def unpacks(self) -> bool:
        """Whether lists of keys that have been collected (`CollectedKeys`) can be `unpacked`."""
        return True

    def create_work_table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        primary_key: Sequence[str],
        indexes: Sequence[str] = (),
    ) -> None:
        """An empty temporary table; what an earlier merge has left under that name is gone.

        One that an earlier batch of the run has made alike is emptied (`KeptTables`). Never ends
        the transaction, which rules out any later DDL on MariaDB and MySQL. Where there can be
        some, the indexes are made by `settle`.
        """
        shape = Shape(dict(columns), tuple(primary_key), tuple(indexes))
        if self.kept.is_kept(name, shape):
            self.empty_work_table(name)
        else:
            self.drop_work_table(name)
            self.make_work_table(name, shape)

    def make_work_table(self, name: str, shape: Shape) -> None:
        """The same, made anew where there is none."""
        parts = [f"{self.q(column)} {kind}" for column, kind in shape.columns.items()]
        parts.append(f"PRIMARY KEY ({', '.join(map(self.q, shape.primary_key))})")
        self.run(f"CREATE TEMPORARY TABLE {self.q(name)} ({', '.join(parts)})")

    def keeping_work_tables(self) -> AbstractContextManager[None]:
        """Around batches: each finds the work tables of the one before, where that is quicker."""
        return self.kept.keeping()

    def empty_work_table(self, name: str) -> None:
        """A work table that is there has no rows any more, and its indexes still."""
        self.run(f"DELETE FROM {self.q(name)}")

    @abstractmethod
    def drop_work_table(self, name: str) -> None: ...

    @abstractmethod
    def is_table_missing(self, error: DatabaseError) -> bool:
        """Whether a statement failed because a table that it names is not there."""

    def settle(self, name: str, indexes: Sequence[str] = ()) -> None:
        """A work table is filled: make the indexes it was created for, and tell the planner."""
        for index in indexes if indexes and self.kept.is_bare(name) else ():
            self.index_work_table(name, index)
        self.tell_planner(name)

    def index_work_table(self, name: str, column: str) -> None:
        """Make an index of a work table that could not be made with it."""

    def tell_planner(self, name: str) -> None:
        """Let the planner know how many rows a work table has."""

    def text_like(self, column: Column) -> str:
        """A type for work tables that compares with a text column, and can be indexed."""
        return column.definition

    @abstractmethod
    def unpacked(self, keys: str, column: Column) -> str:
        """SQL for a table with a column ``value``: the keys of a collected list."""

    compares_by_column = False
    """Whether a column that is compared with a key decides how, not the stricter of the two."""

    exact_collation = ""
    """That of texts which are compared to the letter; "" if a database's usual one does."""

    sorted_bytes = 0
    """Of texts that weigh more, only `sorting_whole` compares all of it; 0 if the server does."""

    def may_be_cut(self, column: Column) -> bool:
        """Whether values of the column may be sorted by their beginning only."""
        return False

    longest_sorted = 0
    """The most that it can be asked for."""

    @contextmanager
    def sorting_whole(self, length: int, texts: int) -> Iterator[None]:
        """Inside, texts of ``length`` bytes are sorted whole, in rows of at most ``texts``."""
        yield

    def sorted_whole(self, head: str, select: str, texts: int) -> str:
        """The statement "``head`` ``select``", in which what an index may hold is sorted whole.

        ``texts`` are at most so many to a row.
        """
        return f"{head} {select}"

    @contextmanager
    def hashing_groups(self) -> Iterator[None]:
        """Inside, rows are hashed by the values they are grouped by, and not sorted."""
        yield

    def index_part(self, column: Column) -> str:
        """A column as ``CREATE INDEX`` takes it."""
        return self.q(column.name)

    def wide(self, column: Column) -> str:
        """A type for work tables that holds whatever is computed for the column."""
        return column.definition

    image_type = "text"
    """The type of a work table's column that holds images."""

    def exact_text_like(self, column: Column) -> str:
        """As `text_like`, where texts that differ in case are different as well."""
        return self.text_like(column)

    def counting(self, column: Column) -> str:
        """A column of a trial table as the database numbers rows, where it may not be read then."""
        return f"{self.q(column.name)} {column.definition}"
