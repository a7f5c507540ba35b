"""What is asked once while a plan is made or carried out: what models and catalogue say.

Nothing migrates meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
