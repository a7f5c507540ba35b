"""A session: its settings while rows are written, its locks, its replicas, what its errors mean."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db.transaction import atomic
from django.db.utils import DatabaseError, DataError, Error, IntegrityError, InternalError

from .statements import Statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

KEEPING_SNAPSHOTS = ("REPEATABLE READ", "SERIALIZABLE")
"""The isolation levels at which a transaction sees what was there when it began."""


class Sessions(Statements):
    """What is set, locked and told apart around the statements of a session."""

    locks_gaps = False
    """Whether a lock on a row that is not there holds up its insertion: racers deadlock."""

    is_alone_in_batch = False
    """Whether nobody else can write from the first statement of a batch that does to its end."""

    def session_advice(self) -> str:
        """A clause on what lets a connection keep its session; "" if nothing takes that away."""
        return ""

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
        # what followed a key that moved goes back ahead of it
        with self.exactly(), self.broken_foreign_keys():
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

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        """Whether the database refuses what some row would become."""
        return isinstance(error, IntegrityError | DataError | InternalError)

    refusals: Mapping[Any, str] = {}
    """What a person can do, by the code with which the database refuses a session something."""

    @staticmethod
    def code_of(error: Error) -> Any:
        """The code by which this database knows an error; None if it has none."""
        return error.args[0] if error.args else None

    def is_incomparable(self, error: DatabaseError) -> bool:
        """Whether a query was refused because it compares values of a type without an order."""
        return False

    def unsorted(self, kinds: Collection[str]) -> list[str]:
        """Those of these types whose values the database cannot put in order."""
        return []

    hides_unreadable = False
    """Whether the catalogue leaves out tables and columns that the user may not read."""

    def is_unreadable(self, table: str, columns: Sequence[str]) -> bool:
        """Whether the user may not read these columns of a table, be it there or not."""
        return False

    collisions: Collection[Any] = ()
    """The codes of what unique rules refuse, where others can write while a batch does."""

    lock_waits: Collection[Any] = ()
    """The codes of what ends a statement that has waited for a lock long enough."""

    def is_transient(self, error: DatabaseError) -> bool:
        """Whether the same statements may succeed when tried again: a deadlock, a busy database."""
        return False
