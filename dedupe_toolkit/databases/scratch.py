"""Scratch copies of tables: empty, without unique rules but the primary key, gone afterwards.

Each is guarded by a lock that its session holds from before the copy is made. A copy whose lock
is free belongs to nobody any more: its process was killed, and the next to make one drops it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import DatabaseError

from ..errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from .base import Database

PREFIX = "dedupe_scratch_"


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """Where a copy lies: its table, and the NAME of the database that holds it."""

    name: str
    table: str
    database: str


@contextmanager
def scratch_copy(database: Database, model: type[Model]) -> Iterator[Scratch]:
    """A copy of the model's table that other sessions can use, for as long as the block lasts.

    Raises `InvalidOption` where a lock would not last: inside a transaction, whose tables no
    other session sees, and through a pooler that hands sessions round.
    """
    if database.connection.in_atomic_block:
        raise InvalidOption("a scratch table is for other sessions to see: leave the transaction")
    if not database.keeps_session():
        raise InvalidOption(
            f"database {database.using!r} is reached through a pooler that gives each transaction"
            " another session, so nothing could guard a scratch table: name an alias with"
            " --database that connects directly, or pools whole sessions"
        )
    _drop_abandoned(database)
    name = f"{PREFIX}{uuid4().hex[:12]}"
    with database.scratch_lock(name):
        try:
            yield database.create_scratch(name, model)
        except BaseException as error:
            if not isinstance(error, Exception):
                # stopped in the middle of a statement, perhaps, whose answer nobody has read
                database.connection.close()
            # who may not create may not drop, and the first is what matters
            with suppress(DatabaseError):
                database.drop_scratch(name)
            raise
        database.drop_scratch(name)


def _drop_abandoned(database: Database) -> None:
    for name in database.scratch_names():
        with database.scratch_lock(name) as is_nobodys:
            if is_nobodys:
                # another user's stays until that user comes back
                with suppress(DatabaseError):
                    database.drop_scratch(name)
