"""Locks for SQLite, which has none of its own: files that the system frees with their process.

A lock is two files. Who wants it tries the first and does not wait. Who has it also holds the
second to itself, for those who only look whether there is a lock: they never touch the first, so
that nobody is refused because somebody looked.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# who looks is done at once
_LOOKERS = 10.0


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of that file; yields whether it is ours."""
    lock = sqlite3.connect(path, timeout=0)
    try:
        # if exclusive, two that begin at once may both be refused, each for the other reads
        lock.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        lock.close()
        yield False
        return
    sign = sqlite3.connect(_sign_of(path), timeout=_LOOKERS)
    try:
        sign.execute("BEGIN EXCLUSIVE")
        yield True
    finally:
        _removed(_sign_of(path), sign)
        _removed(path, lock)


def is_file_locked(path: Path) -> bool:
    """Whether anybody, this process included, holds the lock of that file."""
    try:
        sign = sqlite3.connect(f"{_sign_of(path).as_uri()}?mode=ro", uri=True, timeout=0)
    except sqlite3.OperationalError:
        return False  # there is no such file
    try:
        sign.execute("SELECT COUNT(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        return True
    else:
        return False
    finally:
        sign.close()


def _sign_of(path: Path) -> Path:
    return path.with_suffix(".held")


def _removed(path: Path, connection: sqlite3.Connection) -> None:
    # some systems delete no open file; then it stays, empty, for the next run
    with suppress(OSError):
        path.unlink()
    connection.close()
