"""Transactions of a merge: those that lose against other sessions are tried again."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from django.db import DatabaseError

from ..errors import DedupeError, MergeRefused, MergeRunning
from ..sentences import Sentence
from .waiting import is_told_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from . import Database

ATTEMPTS = 10
SOME_ATTEMPTS = 3
"""Where what keeps failing can be tried in parts, of which most may succeed."""

Result = TypeVar("Result")


class RowsChanged(DedupeError):
    """Rows are not what they were read to be: the batch starts again.

    Other sessions changed them since, or a trigger has a will of its own.
    """


class RowsLocked(DedupeError):
    """Others hold rows for longer than a lock is waited for: other groups may come first."""


@contextmanager
def telling_locks(database: Database) -> Iterator[None]:
    """Raises `RowsLocked` in place of the error that ends a wait for a lock."""
    try:
        yield
    except DatabaseError as error:
        if database.code_of(error) not in database.lock_waits:
            raise
        raise RowsLocked("others hold the rows for longer than a lock is waited for") from error


@contextmanager
def only_run(
    database: Database, label: str, wait: float, stop: Callable[[], bool]
) -> Iterator[None]:
    """Hold the lock of a model's runs, after waiting for it so many seconds if need be.

    Raises `MergeRefused` if another run has it for longer, or until told to stop.
    """
    until = monotonic() + wait
    while True:
        with database.run_lock(label) as is_ours:
            if is_ours:
                yield
                return
        left = until - monotonic()
        if left <= 0 or is_told_within(min(left, _PAUSE), stop):
            raise MergeRunning(Sentence("merge running", model=label))


_PAUSE = 0.1


def retried(
    database: Database, transaction: Callable[[], Result], *, attempts: int = ATTEMPTS
) -> Result:
    """Carry out a transaction of its own; again, up to so many times, when others were faster.

    Raises what will not pass by itself, and what another transaction around this one has to
    take back: there nothing is tried twice.
    """
    for attempt in range(1, attempts):
        try:
            return transaction()
        except (DatabaseError, RowsChanged) as error:
            is_transient = isinstance(error, RowsChanged) or database.is_transient(error)
            if not is_transient or database.connection.in_atomic_block:
                raise
        sleep(0.05 * attempt)
    return transaction()


def require_autocommit(database: Database, label: str) -> None:
    """Raises `MergeRefused` where nothing is committed of its own accord, and so nothing is kept.

    Not inside a transaction of the caller's, who commits it.
    """
    connection = database.connection
    if not (connection.in_atomic_block or connection.get_autocommit()):
        raise MergeRefused(
            f"{label}: autocommit is off in database {database.using!r}, so what a merge or undo"
            " writes would be gone with its connection; leave AUTOCOMMIT of its entry in DATABASES"
            " at True, or name another alias of the same database with --database"
        )
