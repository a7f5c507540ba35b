"""Several operating system processes doing one task in step, on the same database.

Every process is a fresh interpreter ("spawn"), so no connection is ever shared, and the same
code runs on every operating system. Nothing here may import models: a child imports this
module before Django is set up.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.synchronize import Barrier

PATIENCE = 120
"""Seconds a process waits for the others before it gives up."""

_barrier: Barrier
"""Set once in every child: a barrier can be inherited, but not sent with a task."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The place of one process among those that work in step."""

    number: int
    processes: int

    def wait(self) -> None:
        """Return when all processes have come to this point."""
        _barrier.wait(PATIENCE)


def run_in_step(task: str, *arguments: Any, processes: int) -> list[Any]:
    """Call ``task`` (a dotted name) in ``processes`` processes; return what each returned.

    The task gets its :class:`Turn`, then ``arguments``. The processes use the databases that
    this process uses, a test's too. An exception in one of them stops all and is raised here.
    """
    from django.db import connections

    names = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    turns = [Turn(number=number, processes=processes) for number in range(processes)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_join, initargs=(context.Barrier(processes),)
    ) as pool:
        return _results([pool.submit(_run, names, task, turn, arguments) for turn in turns])


def _results(futures: list[Future[Any]]) -> list[Any]:
    errors = [error for future in futures if (error := future.exception())]
    # The processes that waited for the failed one break off as well: the cause comes first.
    errors.sort(key=lambda error: isinstance(error, BrokenBarrierError))
    if errors:
        raise errors[0]
    return [future.result() for future in futures]


def _join(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _run(names: Mapping[str, str], task: str, turn: Turn, arguments: tuple[Any, ...]) -> Any:
    try:
        _set_up(names)
        # Also keeps one quick process from taking two turns.
        turn.wait()
        return _call(task, turn, arguments)
    except BaseException:
        _barrier.abort()
        raise


def _set_up(names: Mapping[str, str]) -> None:
    import django
    from django.conf import settings

    # With DEBUG on, every query is recorded and repeated back, which takes longer than the query.
    settings.DEBUG = False
    for alias, name in names.items():
        settings.DATABASES[alias]["NAME"] = name
    django.setup()


def _call(task: str, turn: Turn, arguments: tuple[Any, ...]) -> Any:
    from django.db import connections
    from django.utils.module_loading import import_string

    try:
        return import_string(task)(turn, *arguments)
    finally:
        connections.close_all()
