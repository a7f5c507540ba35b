"""A session of SQLite: its settings, its locks, and what its errors mean."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from django.db.utils import DatabaseError, Error, OperationalError

from .file_lock import file_lock, is_file_locked
from .sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSALS = {
    sqlite3.SQLITE_BUSY: "another process is writing: OPTIONS['timeout'] is how many seconds it"
    " is waited for",
    sqlite3.SQLITE_CANTOPEN: "see NAME in DATABASES, and the rights on its folder",
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_NOTADB: "see NAME in DATABASES",
    sqlite3.SQLITE_READONLY: "the file, or its folder, must be writable for this user",
}
_in_memory: dict[tuple[str, str], object] = {}
"""The locks held for databases in memory, which no other process sees, and by whom."""


class SQLiteSessions(Sessions):
    # it begins by writing, and so holds the one lock for that
    is_alone_in_batch = True
    refusals = _REFUSALS

    @staticmethod
    def code_of(error: Error) -> Any:
        # the first byte is what went wrong, the others how
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        return None if code is None else code & 0xFF

    def is_transient(self, error: DatabaseError) -> bool:
        return isinstance(error, OperationalError) and "locked" in str(error)

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # keys that are not Django's are checked by each statement; over with the transaction
        self.run("PRAGMA defer_foreign_keys = ON")
        yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        if cast("Any", self.connection).is_in_memory_db():
            with _held_in_memory((self.using, name)) as is_ours:
                yield is_ours
            return
        with file_lock(self._lock_file(name)) as is_ours:
            yield is_ours

    def is_run_lock_held(self, name: str) -> bool:
        if cast("Any", self.connection).is_in_memory_db():
            return (self.using, name) in _in_memory
        return is_file_locked(self._lock_file(name))

    def _lock_file(self, name: str) -> Path:
        database = Path(str(self.connection.settings_dict["NAME"])).resolve()
        number = crc32(f"{database} {name}".encode())
        return Path(gettempdir()) / f"dedupe_toolkit-{number}.lock"


@contextmanager
def _held_in_memory(lock: tuple[str, str]) -> Iterator[bool]:
    holder = object()
    is_ours = _in_memory.setdefault(lock, holder) is holder
    try:
        yield is_ours
    finally:
        if is_ours:
            del _in_memory[lock]
