"""What is asked once: what models and catalogue say.

While a plan is made or carried out nothing migrates. Pages that only show may go by what the
catalogue said some minutes ago: a merge asks it anew, and tells of what has changed.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from django.db import DatabaseError

from ..errors import DedupeError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")

_answers: ContextVar[dict[Any, Any] | None] = ContextVar("dedupe_answers", default=None)


@contextmanager
def caching() -> Iterator[None]:
    """Within, the functions marked `cached` are not called twice with the same arguments.

    What they answered is forgotten at the end.
    """
    if _answers.get() is not None:
        yield
        return
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def cached(function: Callable[P, T]) -> Callable[P, T]:
    """A function that `caching` asks once; elsewhere it answers anew each time."""

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        answers = _answers.get()
        if answers is None:
            return function(*args, **kwargs)
        key = (function, args, *kwargs.items())
        if key not in answers:
            answers[key] = function(*args, **kwargs)
        return answers[key]  # type: ignore[no-any-return]  # kept under its own function

    return answer


RECALLED_SECONDS = 300.0
"""So long this process goes by what a catalogue said, on pages that only show."""

_recalls: ContextVar[bool] = ContextVar("dedupe_recalls", default=False)


class _Memory:
    """What catalogues said to this process, and since when it is kept."""

    def __init__(self) -> None:
        self.answers: dict[Any, Any] = {}
        self.since = monotonic()


_memory = _Memory()


def forget() -> None:
    """Ask the catalogues again: something in them is not what it was."""
    global _memory  # one for the process, and threads swap it at once
    _memory = _Memory()


@contextmanager
def recalling() -> Iterator[None]:
    """Within, `recalled` answers what this process was told a few minutes ago at most."""
    if monotonic() - _memory.since > RECALLED_SECONDS:
        forget()
    token = _recalls.set(True)
    try:
        yield
    except (DatabaseError, DedupeError):  # perhaps a table is gone or there that was not
        forget()
        raise
    finally:
        _recalls.reset(token)


def recalled(connection: BaseDatabaseWrapper, question: Hashable, ask: Callable[[], T]) -> T:
    """What ``ask`` answers, or has answered to the same question of the same database.

    It asks each time outside of `recalling`.
    """
    if not _recalls.get():
        return ask()
    told = connection.settings_dict
    # projects with a schema for each tenant name it at the connection
    tenant = getattr(connection, "schema_name", "")
    key = (connection.alias, told["HOST"], told["PORT"], told["NAME"], tenant, question)
    answers = _memory.answers
    if key not in answers:
        answers[key] = ask()
    return answers[key]  # type: ignore[no-any-return]  # kept under its own question
