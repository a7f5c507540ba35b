"""Sessions that meet at a chosen moment: each a thread of its own with a connection of its own.

Nothing here sleeps and hopes. One session acts inside the other's transaction because a receiver
of `pre_merge`, or the statement it is waiting for, hands over to it; that a session waits is read
from the database's own list of locks. Every wait ends after `PATIENCE` seconds, with a failure.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from dedupe_toolkit import MergePolicy, MergeRun, match_key, merge, plan_merge, row_set
from dedupe_toolkit.databases import database
from dedupe_toolkit.signals import pre_merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models import Model

    from dedupe_toolkit import MergePlan

PATIENCE = 60

committing = pytest.mark.django_db(
    transaction=True,
    # only their tables are emptied afterwards, which takes a tenth of the time
    available_apps=[
        "dedupe_toolkit",
        *(f"tests.situations.{name}" for name in ("family", "keyed", "links", "rivals")),
    ],
)
"""Marks tests whose sessions really commit."""

on_a_server = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one session write at a time"
)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")

_OWN_NUMBER = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}


class Session:
    """Another session: what it is told runs in its thread, over its own connection."""

    def __init__(self, **options: Any) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="session")
        self.do(_connect, options)
        number = _OWN_NUMBER.get(connection.vendor)
        self.number = self.do(_value, number) if number else None

    def start(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self._thread.submit(task, *arguments)

    def do(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """Let the session do something, and return what came of it; raises what it raised."""
        return self.start(task, *arguments).result(PATIENCE)

    def begin(self) -> None:
        self.do(transaction.set_autocommit, False)

    def commit(self) -> None:
        self.do(_end, transaction.commit)

    def rollback(self) -> None:
        self.do(_end, transaction.rollback)

    def wait_until_done_or_blocked(self, future: Future[Any]) -> None:
        until(lambda: future.done() or _is_blocked(self.number))

    def wait_until_blocked(self, future: Future[Any]) -> None:
        """Return when the database says that the session waits for a lock of another's."""
        self.wait_until_done_or_blocked(future)
        assert not future.done(), f"it did not wait: {future.exception() or future.result()}"

    def close(self) -> None:
        self.do(connections.close_all)
        self._thread.shutdown()


def _is_blocked(number: int) -> bool:
    """Whether the session with this number waits for a lock."""
    if connection.vendor == "postgresql":
        return _value("SELECT COUNT(*) FROM pg_locks WHERE pid = %s AND NOT granted", number) > 0
    # innodb_trx is brought up to date only if nobody at all has read it for a tenth of a second
    with connection.cursor() as cursor:
        cursor.execute("SHOW ENGINE INNODB STATUS")
        _, _, status = cursor.fetchone()
    transactions = status.split("---TRANSACTION ")
    return any(f"thread id {number}," in one and "LOCK WAIT" in one for one in transactions)


def _connect(options: dict[str, Any]) -> None:
    """Give the thread a connection with these OPTIONS; the settings of all others stay."""
    if options:
        settings = deepcopy(connection.settings_dict)
        settings["OPTIONS"] = settings.get("OPTIONS", {}) | options
        connections["default"] = type(connections["default"])(settings, "default")
    connection.ensure_connection()


def _end(how: Callable[[], None]) -> None:
    how()
    transaction.set_autocommit(True)


def run_sql(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def isolation(level: str) -> dict[str, Any]:
    """The OPTIONS of a connection whose transactions have this isolation level."""
    if connection.vendor != "postgresql":
        return {"isolation_level": level}
    from psycopg import IsolationLevel

    return {"isolation_level": IsolationLevel[level.upper().replace(" ", "_")]}


def _value(sql: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


@contextmanager
def session(**options: Any) -> Iterator[Session]:
    found = Session(**options)
    try:
        yield found
    finally:
        found.close()


def until(happened: Callable[[], Any], *, every: float = 0.01) -> None:
    """Return as soon as it has happened; fail if it never does."""
    deadline = monotonic() + PATIENCE
    while not happened():
        assert monotonic() < deadline, "it never happened"
        sleep(every)


@contextmanager
def before_a_row_changes(act: Callable[[], None]) -> Iterator[None]:
    """Act once in the middle of a batch: its rows are locked, and none has been changed yet."""
    acts = iter([act])

    def receive(**_: Any) -> None:
        for act in acts:
            act()

    pre_merge.connect(receive)
    try:
        yield
    finally:
        pre_merge.disconnect(receive)


@contextmanager
def before_statement(
    *words: str, after: tuple[str, ...] = (), act: Callable[[], None]
) -> Iterator[None]:
    """Act once, right before this connection runs the first statement that has all the words.

    With ``after``, only once a statement with those words has been run.
    """
    acts, has_come = iter([act]), not after

    def hand_over(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal has_come
        is_run = not sql.startswith("EXPLAIN")  # which only asks whether it may be run
        if is_run and has_come and all(word in sql for word in words):
            for act in acts:
                act()
        result = execute(sql, params, many, context)
        has_come = has_come or all(word in sql for word in after)
        return result

    with connection.execute_wrapper(hand_over):
        yield
    assert next(acts, None) is None, f"no statement had all of {words}"


def is_transient(error: DatabaseError) -> bool:
    return database("default").is_transient(error)


@contextmanager
def passing_errors(
    then: Callable[[], None] | None = None,
) -> Iterator[list[DatabaseError]]:
    """The errors this connection meets that are worth another try: deadlocks and their like.

    ``then`` is done when the first has been met.
    """
    met: list[DatabaseError] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except DatabaseError as error:
            if is_transient(error):
                met.append(error)
                if then and len(met) == 1:
                    then()
            raise

    with connection.execute_wrapper(watch):
        yield met


def merge_equal(
    model: type[Model],
    *fields: str,
    progress: Callable[[int, int], None] | None = None,
    **policy: Any,
) -> MergeRun:
    # a lock that is waited for as long as it takes, on however busy a machine
    policy = {"lock_timeout": 0, **policy}
    plan = plan_merge(match_key(model, fields), policy=MergePolicy(**policy))
    return merge(plan, progress=progress)


def merge_into(model: type[Model], pks: Sequence[Any], into: Any) -> MergeRun:
    return merge(plan_into(model, pks, into))


def plan_into(model: type[Model], pks: Sequence[Any], into: Any) -> MergePlan:
    return plan_merge(row_set(model, pks, into=into), policy=MergePolicy(lock_timeout=0))
