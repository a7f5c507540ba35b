"""Transactions that lose against other sessions are tried again."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, TypeVar

from django.db import DatabaseError

from .changes import RowsChanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..databases import Database

ATTEMPTS = 10
Result = TypeVar("Result")


def until_settled(database: Database, transaction: Callable[[], Result]) -> Result:
    """Carry out a transaction of its own; again, up to `ATTEMPTS` times, when others were faster.

    Raises what will not pass by itself, and what another transaction around this one has to
    take back: there nothing is tried twice.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return transaction()
        except (DatabaseError, RowsChanged) as error:
            is_passing = isinstance(error, RowsChanged) or database.is_passing(error)
            if not is_passing or database.connection.in_atomic_block:
                raise
        sleep(0.05 * attempt)
    return transaction()
