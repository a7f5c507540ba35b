"""What a database is asked for: a dialect answers, and what all write alike stands here.

Every method that takes or returns SQL works on text with ``%s`` placeholders.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from .catalogue import Catalogue
from .expressions import Expressions
from .places import introspected
from .rights import Rights
from .scratch import PREFIX
from .sessions import Sessions
from .work_tables import WorkTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model, UniqueConstraint
    from django.db.utils import DatabaseError

    from .named_rows import NamedRows
    from .rules import LiveRule
    from .scratch import Scratch
    from .tables import Table


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """Rows just inserted: how many, and the keys between which they lie, if there are any.

    Among them may be rows that others have inserted at the same time.
    """

    rows: int
    first: int
    last: int


class Database(Catalogue, WorkTables, Expressions, Sessions, Rights):
    """One connection, and how its database spells what a merge needs."""

    find_places = staticmethod(introspected)
    """Finds the tables and views of a connection by their names: asked before anything else."""

    batch_size = 2_500
    """Groups in one transaction at most, unless a person says otherwise."""

    batch_seconds = 0.5
    """How long a batch may take, and others wait for it, unless a person says otherwise."""

    @property
    def pause(self) -> float:
        """Seconds between two batches, where others would not get their turn without any."""
        return 0.0

    lock_timeout = 2.0
    """Seconds for which a batch waits for a lock, and others behind it, unless a person says
    otherwise; 0 leaves it to the session."""

    acts_row_by_row = False
    """Whether a foreign key acts on the rows that an update has not reached yet."""

    @staticmethod
    def count_of_rows(model: type[Model]) -> Count:
        """The aggregate that counts the model's rows in a GROUP BY."""
        return Count("*")

    @abstractmethod
    def insert_numbered(self, insert: str, table: str) -> Numbered:
        """Execute an INSERT into a table of the package, whose keys (``id``) are counted up."""

    # -- trying --------------------------------------------------------------------------

    @abstractmethod
    def try_rule(
        self, model: type[Model], constraint: UniqueConstraint, *, longest: Sequence[str] = ()
    ) -> LiveRule | None:
        """Make the rule on a copy of the model's table, and leave nothing behind.

        The copy is empty, but for the rows with the longest values of the columns ``longest``
        where their length matters. Returns the rule as the catalogue would have it; None where it
        does not say. Raises `DatabaseError` if the database cannot keep such a rule.
        """

    def own_collation(self, model: type[Model], column: str) -> str:
        """The collation of a text column where a new one of the table would get another."""
        return ""

    def instead_of_rule(self, error: DatabaseError) -> str:
        """What works where `try_rule` has failed with this error; "" if that is not known."""
        return ""

    # -- statements that differ ----------------------------------------------------------

    @abstractmethod
    def update(
        self, table: str, assigned: Mapping[str, str], rows: NamedRows, *, keep: Sequence[str] = ()
    ) -> int:
        """Set columns of the rows from columns of the work table that names them.

        ``assigned`` maps columns of the table to those of the work table. Columns to ``keep`` have
        the value that they had, even where the database would change them by itself.
        """

    @abstractmethod
    def delete(self, table: str, rows: NamedRows) -> int:
        """Delete the rows."""

    @abstractmethod
    def lock_rows(self, table: Table, rows: NamedRows, *, stay: str = "") -> None:
        """Keep others from changing, deleting or newly referencing the rows until commit.

        ``stay`` is SQL that is true for the work table's rows (``m``) whose rows keep their keys:
        these others may newly reference meanwhile, where there are locks that let them.
        """

    overriding = ""
    """In an INSERT: that even columns which the database numbers take the values given."""

    # -- scratch copies: see `scratch_copy` ----------------------------------------------

    @contextmanager
    def scratch_lock(self, name: str) -> Iterator[bool]:
        """Hold the lock that guards a scratch copy; yields whether it is ours."""
        with self.run_lock(name) as is_ours:
            yield is_ours

    def scratch_names(self) -> list[str]:
        """Every scratch copy that there is, whoever made it."""
        names: list[str] = self.connection.introspection.table_names()
        return [name for name in names if name.startswith(PREFIX)]

    @abstractmethod
    def create_scratch(self, name: str, model: type[Model]) -> Scratch:
        """An empty copy of the model's table that no row of any other can get in the way of.

        Types, collations, defaults, checks and generated columns are the table's; of its unique
        rules the primary key alone stays. Foreign keys do not come along.
        """

    def drop_scratch(self, name: str) -> None:
        """Drop a scratch copy, if it is there."""
        self.run(f"DROP TABLE IF EXISTS {self.q(name)}")

    def knows_time_zone(self, name: str) -> bool:
        """Whether a moment can be turned into that zone's time; where not, all dates are NULL."""
        return True
