"""A lock that PostgreSQL keeps for a run, whatever stands between the run and its sessions.

A lock of a session is only sound where the connection keeps its session. A pooler that gives it
another one for each transaction would leave the lock behind in a session of somebody else's.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from .settings import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

SESSION_ADVICE = (
    ", as poolers hand them out: a merge takes one that keeps its session (pool_mode = session in"
    " PgBouncer), or an alias that connects to the server directly, named with --database"
)
# the number of a lock stands in its lower half, see `crc32`
IS_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
    AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
)
"""
# a lock that somebody waits beside is idle for as long as the run takes
_NO_TIMEOUTS = (
    "SELECT set_config(name, '0', true) FROM pg_settings"
    " WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
)


@contextmanager
def advisory_lock(connection: BaseDatabaseWrapper, number: int) -> Iterator[bool]:
    """Hold the advisory lock of that number, freed however the process ends.

    Yields whether it is ours. In a transaction of the caller's it is held until that ends.
    """
    if connection.in_atomic_block:
        yield _value(connection, f"SELECT pg_try_advisory_xact_lock({number})")
    elif is_direct(connection) and not connection.settings_dict["OPTIONS"].get("pool"):
        with _of_session(connection, number) as is_ours:
            yield is_ours
    else:
        with _beside(connection, number) as is_ours:
            yield is_ours


def is_direct(connection: BaseDatabaseWrapper) -> bool:
    """Whether the session is the one that this connection began: poolers have their own."""
    connection.ensure_connection()
    raw: Any = connection.connection
    return bool(_value(connection, "SELECT pg_backend_pid()") == raw.info.backend_pid)


@contextmanager
def _of_session(connection: BaseDatabaseWrapper, number: int) -> Iterator[bool]:
    taken = bool(_value(connection, f"SELECT pg_try_advisory_lock({number})"))
    with set_back(connection, f"SELECT pg_advisory_unlock({number})") if taken else nullcontext():
        yield taken


@contextmanager
def _beside(connection: BaseDatabaseWrapper, number: int) -> Iterator[bool]:
    """By a connection of its own, whose one transaction no pooler takes apart."""
    database: Any = connection
    with closing(database.Database.connect(**database.get_connection_params())) as lock:
        cursor = lock.cursor()
        cursor.execute(_NO_TIMEOUTS)
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({number})")
        yield bool(cursor.fetchone()[0])


def _value(connection: BaseDatabaseWrapper, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
