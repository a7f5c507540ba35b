"""A session of PostgreSQL: its settings, its locks, and what its errors mean."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any
from zlib import crc32

from django.db import DatabaseError, transaction

from .postgresql_lock import IS_HELD, SESSION_ADVICE, advisory_lock, is_direct
from .sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.utils import Error

# a primary that had nothing to do has sent nothing: what it sent last is old, and no lag
_LAG = """
SELECT CASE WHEN pg_last_wal_replay_lsn() >= %s::pg_lsn THEN 0
       ELSE GREATEST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
       END::float
"""
_EXACT = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "bytea_output": "hex",
}
_WAITED_FOR = """
SELECT EXISTS (SELECT FROM pg_locks w
               WHERE NOT w.granted AND pg_backend_pid() = ANY (pg_blocking_pids(w.pid)))
"""
_MAY_SEE_WHO_WAITS = """
SELECT has_function_privilege('pg_blocking_pids(integer)', 'EXECUTE')
       AND has_table_privilege('pg_locks', 'SELECT')
"""
_NO_FUNCTION = "42883"
_SORTED = re.compile(
    r"(bigint|smallint|integer|character|text|boolean|numeric|date|time|timestamp|uuid|jsonb)\b"
)
# serialization failure, deadlock, lock not available
_PASSING = ("40001", "40P01", "55P03")
_REFUSALS = {
    "25006": "it is read only: name the alias of the primary with --database, or see its"
    " default_transaction_read_only",
    "42501": "grant the database user this right: TEMPORARY on the database for work tables,"
    " SELECT, INSERT, UPDATE and DELETE on the tables",
    "53100": "free some space on its disk",
    "55P03": "another session holds these rows: lock_timeout is how long a lock is awaited",
    "57014": "statement_timeout is how long a statement may take: raise it for this session",
    "57P01": "the server has closed the connection",
}


class PostgreSQLSessions(Sessions):
    def session_advice(self) -> str:
        return "" if is_direct(self.connection) else SESSION_ADVICE

    @contextmanager
    def exactly(self, *, patience: float = 0) -> Iterator[None]:
        # texts of values depend on these, and journals are read by other sessions
        settings = dict(_EXACT)
        if patience:
            settings["lock_timeout"] = str(ceil(patience * 1000))
        names = ", ".join(f"current_setting('{name}')" for name in settings)
        before = self.fetch(f"SELECT {names}")[0] if self._is_within else ()
        change = ", ".join(f"set_config('{name}', %s, true)" for name in settings)
        self.fetch(f"SELECT {change}", list(settings.values()))
        yield
        if before:
            self.fetch(f"SELECT {change}", before)

    @property
    def _is_within(self) -> bool:
        """Whether what is set for a transaction would outlast ours: it is part of another."""
        return bool(self.connection.savepoint_ids)

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def is_waited_for(self) -> bool:
        # asked first: an error would take the batch with it
        return not self._may_see_who_waits or bool(self.value(_WAITED_FOR))

    @cached_property
    def _may_see_who_waits(self) -> bool:
        return bool(self.value(_MAY_SEE_WHO_WAITS))

    def expect_few_rows(self) -> None:
        # the planner thinks of disks that seek, and would rather read a whole table, or all of an
        # index from end to end
        self.run("SET LOCAL random_page_cost = 1.1")
        self.run("SET LOCAL enable_mergejoin = off")

    checks_foreign_keys = True

    def check_constraints_now(self) -> None:
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        if self._is_within:
            # as Django does it: what follows finds them as they were
            self.run("SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # an outer transaction may have made them immediate
        self.run("SET CONSTRAINTS ALL DEFERRED")
        yield

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        # what goes wrong in a trigger can be of any kind, as can what it raises; it has a context
        context = getattr(getattr(error.__cause__, "diag", None), "context", None)
        return bool(context and not self.is_transient(error)) or super().is_caused_by_rows(error)

    refusals = _REFUSALS
    lock_waits = ("55P03",)
    collisions = ("23505", "23P01")  # of unique rules and of exclusion constraints

    @staticmethod
    def code_of(error: Error) -> Any:
        return getattr(error.__cause__, "sqlstate", None)

    def is_incomparable(self, error: DatabaseError) -> bool:
        # this is what it says of operators as well
        return bool(self.code_of(error) == _NO_FUNCTION)

    def unsorted(self, kinds: Collection[str]) -> list[str]:
        return [kind for kind in kinds if not (_SORTED.match(kind) or self._sorts(kind))]

    def _sorts(self, kind: str) -> bool:
        try:
            with transaction.atomic(using=self.using):
                self.fetch(f"SELECT x.v FROM (SELECT CAST(NULL AS {kind}) AS v) x ORDER BY 1")
        except DatabaseError as error:
            if self.is_incomparable(error):
                return False
            raise
        return True

    def is_transient(self, error: DatabaseError) -> bool:
        return getattr(error.__cause__, "sqlstate", None) in _PASSING

    @contextmanager
    def planning(self) -> Iterator[None]:
        # or each work table is a commit of its own, which waits for the disk
        with transaction.atomic(using=self.using):
            yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        with advisory_lock(self.connection, _lock_number(name)) as is_ours:
            yield is_ours

    def is_run_lock_held(self, name: str) -> bool:
        return bool(self.value(IS_HELD, [_lock_number(name)]))

    def log_position(self) -> str | None:
        return str(self.value("SELECT pg_current_wal_lsn()"))

    def is_replica(self) -> bool:
        return bool(self.value("SELECT pg_is_in_recovery()"))

    def replica_lag(self, position: str | None) -> float | None:
        lag: float | None = self.value(_LAG, [position])
        return lag

    session_number = "pg_backend_pid()"
    isolation_level = "current_setting('transaction_isolation')"


def _lock_number(name: str) -> int:
    return crc32(f"dedupe_toolkit {name}".encode())
