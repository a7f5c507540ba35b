"""What is set in a session for a while, and set back when that is over."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def set_back(
    connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any] = ()
) -> Iterator[None]:
    """Run that statement at the end, so that what happened inside is what the caller hears of.

    A session that takes no statement any more is closed, and all that was set in it is gone with
    it: MariaDB and MySQL have such where a stop (Ctrl-C) fell into the middle of a statement,
    whose answer nobody has read.
    """
    try:
        yield
    except BaseException:
        try:
            _run(connection, sql, params)
        except Error:
            connection.close()
        raise
    _run(connection, sql, params)


def _run(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
