"""The SQL that every database shares, and the names of the parts in which they differ.

Row values travel through the journal as *images*: a JSON array of the exact text of each
value. Every method that takes or returns SQL works on text with ``%s`` placeholders.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, UUIDField
from django.db.transaction import atomic
from django.db.utils import DatabaseError, DataError, Error, IntegrityError, InternalError

from .caching import recalled
from .catalogue import Catalogue
from .kept_tables import KeptTables
from .places import introspected
from .scratch import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model, UniqueConstraint

    from .named_rows import NamedRows
    from .rules import LiveRule
    from .scratch import Scratch
    from .tables import Column, Table


KEEPING_SNAPSHOTS = ("REPEATABLE READ", "SERIALIZABLE")
"""The isolation levels at which a transaction sees what was there when it began."""


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

    find_places = staticmethod(introspected)
    """Finds the tables and views of a connection by their names: asked before anything else."""

    locks_gaps = False
    """Whether a lock on a row that is not there holds up its insertion: racers deadlock."""

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

    is_alone_in_batch = False
    """Whether nobody else can write from the first statement of a batch that does to its end."""

    acts_row_by_row = False
    """Whether a foreign key acts on the rows that an update has not reached yet."""

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

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        self.kept = KeptTables()

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

    def look_up(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the catalogue says; while `recalling`, what it said some minutes ago at most."""
        return recalled(self.connection, (sql, *params), lambda: self.fetch(sql, params))

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        return self.fetch(sql, params)[0][0]

    most_questions = 200
    """How many queries stand in one statement of `answers`: it may be only so long."""

    def answers(self, queries: Sequence[str]) -> list[Any]:
        """What queries for one value each find, many to a statement."""
        found: list[Any] = []
        for start in range(0, len(queries), self.most_questions):
            listed = ", ".join(f"({sql})" for sql in queries[start : start + self.most_questions])
            found += self._answered(f"SELECT {listed}")
        return found

    def _answered(self, questions: str) -> tuple[Any, ...]:
        return self.fetch(questions)[0]

    def q(self, name: str) -> str:
        """The name, quoted, and safe among placeholders."""
        return str(self.connection.ops.quote_name(name)).replace("%", "%%")

    def qualified(self, alias: str, columns: Sequence[str]) -> list[str]:
        return [f"{alias}.{self.q(column)}" for column in columns]

    @abstractmethod
    def insert_numbered(self, insert: str, table: str) -> Numbered:
        """Execute an INSERT into a table of the package, whose keys (``id``) are counted up."""

    # -- work tables ---------------------------------------------------------------------

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
        if self.kept.is_kept(name, (dict(columns), tuple(primary_key), tuple(indexes))):
            self.empty_work_table(name)
        else:
            self.make_work_table(name, columns, primary_key=primary_key, indexes=indexes)

    @abstractmethod
    def make_work_table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        primary_key: Sequence[str],
        indexes: Sequence[str] = (),
    ) -> None:
        """The same, made anew."""

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

    def session_advice(self) -> str:
        """A clause on what lets a connection keep its session; "" if nothing takes that away."""
        return ""

    def settle(self, name: str, indexes: Sequence[str] = ()) -> None:
        """A work table is filled: make the indexes it was created for, and tell the planner."""
        for index in indexes if self.kept.is_bare(name) else ():
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

    def as_text(self, sql: str, definition: str) -> str:
        """SQL for a text that compares as one in a work table's column of this definition does."""
        _, collate, collation = definition.partition(" COLLATE ")
        return f"({sql}){collate}{collation}"

    def index_part(self, column: Column) -> str:
        """A column as ``CREATE INDEX`` takes it."""
        return self.q(column.name)

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

    # -- values --------------------------------------------------------------------------

    def fits(self, column: Column, field: Any) -> str:
        """SQL that is true if a value computed for the column, under its name, fits; else empty.

        ``field`` is that of the column, if a model has it.
        """
        return ""

    joined_at_most: Sequence[str] = ()
    """The server's settings, in bytes, that cut off what `join_texts` joins."""

    def is_too_long(self, table: Table, alias: str) -> str:
        """SQL that is true for a row whose image the server cannot make; empty if there is none."""
        return ""

    def wide(self, column: Column) -> str:
        """A type for work tables that holds whatever is computed for the column."""
        return column.definition

    def literal(self, value: Any) -> str:
        """SQL for a value that Django passes as a parameter, safe among placeholders."""
        self.connection.ensure_connection()
        return str(self.connection.schema_editor().quote_value(value)).replace("%", "%%")

    def as_stored(self, column: Column, sql: str) -> str:
        """SQL for a value as the column has it once it is written there, if its text differs.

        A whole number has decimal places in some columns.
        """
        return sql

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

    def uuid_texts(self, sql: str) -> tuple[str, str]:
        """SQL for a UUID as text, with hyphens and without."""
        written = self.as_python_text(sql, UUIDField())
        return written, f"REPLACE({written}, '-', '')"

    def exact_text_like(self, column: Column) -> str:
        """As `text_like`, where texts that differ in case are different as well."""
        return self.text_like(column)

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

    def matches(self, rows: NamedRows) -> str:
        """SQL that is true for a row (``t``) and the work table's row (``m``) that names it."""
        ours, theirs = self.qualified("t", list(rows.on)), list(rows.on.values())
        return self.equal(ours, self.qualified("m", theirs))

    def selecting(self, table: Table, rows: NamedRows) -> str:
        """SQL from FROM on, up to a condition: the rows, each beside what names it."""
        return (
            f"FROM {self.q(rows.source)} m {self.join} {self.q(table.name)} t"
            f" ON {self.matches(rows)} WHERE {' AND '.join(rows.conditions) or '1 = 1'}"
        )

    def counting(self, column: Column) -> str:
        """A column of a trial table as the database numbers rows, where it may not be read then."""
        return f"{self.q(column.name)} {column.definition}"

    def blank(self, sql: str, column: Column) -> str:
        """SQL that is true for a NULL, or an empty string in a text column."""
        if column.is_text:
            return f"({sql} IS NULL OR LENGTH({sql}) = 0)"
        return f"{sql} IS NULL"

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

    # -- statements that differ ----------------------------------------------------------

    join = "JOIN"
    """Joins a small work table (left) with a large table (right), by the latter's index."""

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
    @abstractmethod
    def lock_rows(self, table: Table, rows: NamedRows, *, stay: str = "") -> None:
        """Keep others from changing, deleting or newly referencing the rows until commit.

        ``stay`` is SQL that is true for the work table's rows (``m``) whose rows keep their keys:
        these others may newly reference meanwhile, where there are locks that let them.
        """

    overriding = ""
    """In an INSERT: that even columns which the database numbers take the values given."""

    @contextmanager
    def exactly(self, *, patience: float = 0) -> Iterator[None]:
        """Around what changes users' rows: no setting of the session alters or cuts a value.

        Locks are waited for ``patience`` seconds, or as long as the session says. In a transaction,
        which takes back what cannot be set back after an error.
        """
        yield

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Around what brings rows back: as `exactly`, and moments are read as images have them."""
        with self.exactly():
            yield

    def begin_batch(self) -> None:
        """First thing in a transaction: let each statement see what others have committed by then.

        A merge locks rows and looks what points at them. A snapshot older than the locks, as
        stricter isolation levels keep one, would hide what came in between.
        """

    def is_waited_for(self) -> bool:
        """Whether others wait for what this transaction has locked; also where nobody may tell."""
        return False

    def expect_few_rows(self) -> None:
        """For the rest of a transaction: its statements find few rows of large tables."""

    checks_foreign_keys = False
    """Whether `check_constraints_now` finds every foreign key that is broken."""

    def check_constraints_now(self) -> None:
        """Let a foreign key or unique rule that is broken fail here and not at commit."""

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        """Lets a row take a new primary key before the rows that point at it follow, or after.

        Keys that are checked at commit, as Django declares them, allow it anyway.
        """
        yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        """Hold a lock of that name, freed however the process ends; yields whether it is ours."""
        yield True

    def is_run_lock_held(self, name: str) -> bool:
        """Whether anybody holds the lock of that name, without being in anybody's way."""
        return True

    # -- replicas: see `merging.throttle` --------------------------------------------------

    def log_position(self) -> str | None:
        """How far this database has written its log, for a replica to compare with."""
        return None

    def is_replica(self) -> bool:
        """Whether this database repeats what another one does."""
        return False

    def replica_lag(self, position: str | None) -> float | None:
        """For how many seconds this replica is behind; None while it does not replicate.

        0 once it has come to this position of the log.
        """
        raise NotImplementedError

    # -- scratch copies: see `scratch_copy` ----------------------------------------------

    session_number = ""
    """What a session is called by its database, in SQL; empty where a session is a process's."""

    def keeps_session(self) -> bool:
        """Whether this connection has a session of its own, as a pooler may not let it have."""
        if not self.session_number:
            return True
        number = f"SELECT {self.session_number}"
        mine, other = self.value(number), self.connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute(number)
                theirs = cursor.fetchone()[0]
            # they are still in their transaction: if one session is all there is, do not wait
            return bool(theirs != mine and self.value(number) == mine)
        finally:
            other.close()

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

    isolation_level = ""
    """The SQL that says how a transaction is kept apart from others; empty where all are alike."""

    def isolation(self) -> str:
        """How a transaction of this connection is kept apart from others: ``READ COMMITTED``."""
        if not self.isolation_level:
            return ""
        with atomic(using=self.using):
            return str(self.value(f"SELECT {self.isolation_level}")).replace("-", " ").upper()

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Around a plan, whose work tables may be made in one transaction or one by one."""
        yield

    def knows_time_zone(self, name: str) -> bool:
        """Whether a moment can be turned into that zone's time; where not, all dates are NULL."""
        return True

    def unsearchable(self, columns: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The collation of each (table, column) among these whose texts cannot be searched."""
        return {}

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        """Whether the database refuses what some row would become."""
        return isinstance(error, IntegrityError | DataError | InternalError)

    refusals: Mapping[Any, str] = {}
    """What a person can do, by the code with which the database refuses a session something."""

    @staticmethod
    def code_of(error: Error) -> Any:
        """The code by which this database knows an error; None if it has none."""
        return error.args[0] if error.args else None

    collisions: Collection[Any] = ()
    """The codes of what unique rules refuse, where others can write while a batch does."""

    lock_waits: Collection[Any] = ()
    """The codes of what ends a statement that has waited for a lock long enough."""

    def is_transient(self, error: DatabaseError) -> bool:
        """Whether the same statements may succeed when tried again: a deadlock, a busy database."""
        return False


def json_path(path: Sequence[str]) -> str:
    """A path as the JSON functions of SQLite, MariaDB and MySQL take it, as an SQL literal."""
    steps = (f"[{name}]" if name.isdigit() else f'."{name}"' for name in path)
    return "'$" + "".join(steps).replace("'", "''").replace("%", "%%") + "'"
