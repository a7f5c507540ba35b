"""A session of MariaDB or MySQL: its settings, its locks, and what its errors mean."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from math import ceil
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError

from .mysql_rights import DENIED
from .sessions import Sessions
from .settings import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LAX = {"NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL", "PAD_CHAR_TO_FULL_LENGTH"}
_STRICT = {"STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES"}
# lock wait timeout, deadlock
_LOCK_WAIT = 1205
_PASSING = (_LOCK_WAIT, 1213)
_PATIENCE = "innodb_lock_wait_timeout"
# what a trigger says with SIGNAL, or does that cannot be done: the table is in use, a value is
# missing, is none, or divided by zero, a query finds several rows; and what is longer than
# max_allowed_packet or group_concat_max_len
_OF_ROWS = (1644, 1442, 1364, 1292, 1366, 1365, 1172, 1242, 1301, 1260)
_READ_ONLY = "it is read only, a replica perhaps: name the alias of the primary with --database"
_REFUSALS = {
    1021: "free some space on its disk",
    1044: "merging takes the right CREATE TEMPORARY TABLES on the database",
    1104: "set sql_big_selects for this session, by init_command in OPTIONS for instance",
    1175: "take sql_safe_updates back for this session, by init_command in OPTIONS for instance",
    1142: "grant the database user this right on the table",
    1143: "grant the database user this right on the column",
    1205: "another session holds these rows: see innodb_lock_wait_timeout",
    1227: "grant the database user this right",
    1290: _READ_ONLY,
    1317: "somebody has ended the statement",
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    1969: "max_statement_time is how long a statement may take: raise it for this session",
    3024: "max_execution_time is how long a statement may take: raise it for this session",
    1045: "see the user and password in DATABASES",
    2002: "see the host and port in DATABASES, and whether the server is running",
    2003: "see the host and port in DATABASES, and whether the server is running",
    2006: "the server has closed the connection: see wait_timeout and max_allowed_packet",
    2013: "the server has closed the connection: see wait_timeout and max_allowed_packet",
}


class MySQLSessions(Sessions):
    locks_gaps = True

    @contextmanager
    def exactly(self, *, patience: float = 0) -> Iterator[None]:
        # a value that does not fit is an error, and none that is there already does not fit; a
        # session that looks at no foreign keys would not tell of a row that comes meanwhile
        names = ["sql_mode", "foreign_key_checks", *([_PATIENCE] if patience else [])]
        (before,) = self.fetch(f"SELECT {', '.join(f'@@SESSION.{name}' for name in names)}")
        modes = set(filter(None, str(before[0]).split(","))) - _LAX | _STRICT
        wanted = [",".join(sorted(modes)), 1, *([ceil(patience)] if patience else [])]
        with self._session(names, wanted, list(before)):
            yield

    @contextmanager
    def restoring(self) -> Iterator[None]:
        zone = str(self.value("SELECT @@SESSION.time_zone"))
        with self.exactly(), self._session(["time_zone"], ["+00:00"], [zone]):
            yield

    @contextmanager
    def _session(
        self, names: Sequence[str], values: Sequence[Any], before: Sequence[Any]
    ) -> Iterator[None]:
        change = f"SET SESSION {', '.join(f'{name} = %s' for name in names)}"
        self.run(change, values)
        with set_back(self.connection, change, before):
            yield

    waited_for = (
        "SELECT EXISTS (SELECT 1 FROM performance_schema.data_lock_waits"
        " WHERE blocking_thread_id = ps_current_thread_id())"
    )

    def is_waited_for(self) -> bool:
        try:
            return bool(self.value(self.waited_for))
        except DatabaseError:  # the user may not look
            return True

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # InnoDB checks row by row; switched off for the statements that need it only
        self.run("SET SESSION foreign_key_checks = 0")
        with set_back(self.connection, "SET SESSION foreign_key_checks = 1"):
            yield

    hides_unreadable = True

    def is_unreadable(self, table: str, columns: Sequence[str]) -> bool:
        listed = ", ".join(map(self.connection.ops.quote_name, columns))
        try:
            self.run(f"SELECT {listed} FROM {self.connection.ops.quote_name(table)} LIMIT 0")
        except DatabaseError as error:
            return self.code_of(error) in DENIED
        return False

    refusals = _REFUSALS
    lock_waits = (_LOCK_WAIT,)
    collisions = (1062,)

    def is_transient(self, error: DatabaseError) -> bool:
        return bool(error.args) and error.args[0] in _PASSING

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        return super().is_caused_by_rows(error) or (bool(error.args) and error.args[0] in _OF_ROWS)

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        full = _lock_name(name)
        taken = bool(self.value(f"SELECT GET_LOCK({full}, 0)"))
        with set_back(self.connection, f"DO RELEASE_LOCK({full})") if taken else nullcontext():
            yield taken

    def is_run_lock_held(self, name: str) -> bool:
        return self.value(f"SELECT IS_USED_LOCK({_lock_name(name)})") is not None

    show_replica = "SHOW REPLICA STATUS"

    def is_replica(self) -> bool:
        return bool(self._replication())

    def replica_lag(self, position: str | None) -> float | None:
        lags = [_lag(channel) for channel in self._replication()]
        running = [lag for lag in lags if lag is not None]
        # of several sources the slowest counts, and one that stands still most of all
        return max(running) if running and len(running) == len(lags) else None

    def _replication(self) -> list[dict[str, Any]]:
        """What the server says of each source that it repeats."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.show_replica)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    session_number = "CONNECTION_ID()"


def _lag(channel: dict[str, Any]) -> float | None:
    """Seconds behind; None if a thread of it stands still, when the number says nothing."""
    # MySQL and MariaDB call the same things by different names
    by_ending = {name.partition("_")[2]: value for name, value in channel.items()}
    if (by_ending["IO_Running"], by_ending["SQL_Running"]) != ("Yes", "Yes"):
        return None
    (seconds,) = (value for name, value in channel.items() if name.startswith("Seconds_Behind"))
    return None if seconds is None else float(seconds)


def _lock_name(name: str) -> str:
    # locks are server-wide, so the database's name is part of theirs; 64 characters at most
    return f"SHA2(CONCAT('dedupe_toolkit', DATABASE(), '{name}'), 224)"
