"""``python -m tests.commands.dying SIGNAL NUMBER SIDE WORDS COMMAND…``: stopped right then.

The command's process sends itself the signal before, within or after a statement, counted from the
first that begins with the words; with ``each`` for the side before a statement, counted among those
that begin with them. Within is where the driver has sent the statement and Python has not seen its
answer.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management import execute_from_command_line
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH = f"UPDATE {connection.ops.quote_name('dedupe_toolkit_mergerun')}"
"""How the first statement of a batch begins."""


@contextmanager
def at_statements(
    words: str, act: Callable[[int, str], None], *, each: bool = False
) -> Iterator[None]:
    """Act before and after each statement from the first with the words on; they count from 1.

    With ``each`` only those that begin with the words count.
    """
    number = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal number
        if (each or not number) and not sql.startswith(words):
            return execute(sql, params, many, context)
        number += 1
        here = number
        act(here, "before")
        result = execute(sql, params, many, context)
        act(here, "after")
        return result

    with connection.execute_wrapper(count):
        yield


def _main(name: str, number: str, side: str, words: str, *command: str) -> None:
    moment = (int(number), side if side == "after" else "before")

    def die() -> None:
        os.kill(os.getpid(), signal.Signals[name])

    def stop(*here: Any) -> None:
        if here == moment:
            _once_sent(die) if side == "within" else die()

    with at_statements(words, stop, each=side == "each"):
        execute_from_command_line(["manage.py", *command])


def _once_sent(act: Callable[[], None]) -> None:
    """Act once the driver has sent its next statement."""

    def profile(frame: Any, event: str, function: Any) -> None:
        if (event, getattr(function, "__name__", frame.f_code.co_name)) in _SENT:
            sys.setprofile(None)
            act()

    sys.setprofile(profile)


_SENT = {
    ("c_return", "query"),  # mysqlclient
    ("c_return", "execute"),  # sqlite3
    ("call", "wait"),  # psycopg, whose C is not seen
}


if __name__ == "__main__":
    _main(*sys.argv[1:])
