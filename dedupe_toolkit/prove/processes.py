"""Several operating system processes doing one task in step, on the same database.

Every process is a fresh interpreter ("spawn"), so no connection is ever shared, and the same
code runs on every operating system. Nothing here may import models: a child imports this
module before Django is set up.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from multiprocessing.synchronize import Barrier

PATIENCE = 120
"""Seconds a process waits for the others before it gives up."""
_FROM_TERMINAL = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The place of one process among those that work in step."""

    number: int
    processes: int
    barrier: Barrier
    parent: Connection

    def wait(self) -> None:
        """Return when all processes have come to this point."""
        self.barrier.wait(PATIENCE)

    def tell(self, done: int, total: int) -> None:
        """Let whoever started the processes know how far this one is."""
        self.parent.send(("progress", (done, total)))


def run_in_step(
    task: str,
    *arguments: Any,
    processes: int,
    names: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """Call ``task`` (a dotted name) in ``processes`` processes; return what each returned.

    The task gets its :class:`Turn`, then ``arguments``. The processes use the databases that
    this process uses, a test's too, or those that ``names`` says by alias. An exception in one of
    them stops all and is raised here. However this ends, no process is left.
    """
    from django.db import connections

    own = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    # to be unpacked once Django is set up: they may be values that models know
    packed = pickle.dumps(arguments)
    children: list[BaseProcess] = []
    parents: list[Connection] = []
    try:
        with requests_to_end_wait(), terminal_speaks_to_us_alone(), _main_stays_ours():
            for number in range(processes):
                ours, theirs = context.Pipe(duplex=False)
                turn = Turn(number=number, processes=processes, barrier=barrier, parent=theirs)
                work = (turn, own | dict(names or {}), task, packed)
                child: BaseProcess = context.Process(target=_work, args=work, daemon=True)
                child.start()
                children.append(child)
                # the child has its own: when that is closed, nothing will come any more
                theirs.close()
                parents.append(ours)
        return _results(parents, progress)
    finally:
        for child in children:
            child.kill()
            child.join()


@contextmanager
def terminal_speaks_to_us_alone() -> Iterator[None]:
    """What is started within never hears of Ctrl-C, which a terminal sends to all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def requests_to_end_wait() -> Iterator[None]:
    """A request to end (SIGTERM) is heard afterwards, when all that was started is known.

    In its midst it would leave a process that nobody ends, or one that shows a traceback since it
    was never told its task.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are heard in the main thread alone
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if heard:
            signal.raise_signal(signal.SIGTERM)


@contextmanager
def _main_stays_ours() -> Iterator[None]:
    """What is started within does not run our main module, which may start the race once more.

    A ``manage.py`` need not ask whether it is the main module.
    """
    main: Any = sys.modules["__main__"]
    hidden = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)


def _results(parents: list[Connection], progress: Callable[[int, int], None] | None) -> list[Any]:
    results: dict[Any, Any] = {}
    errors: list[BaseException] = []
    while waiting := [each for each in parents if each not in results]:
        ready: Any
        for ready in connection.wait(waiting):
            try:
                kind, said = ready.recv()
            except EOFError:
                raise ChildProcessError("one of the processes was killed") from None
            if kind != "progress":
                results[ready] = said
            elif progress:
                progress(*said)
            if kind == "error":
                errors.append(said)
    # The processes that waited for the failed one break off as well: the cause comes first.
    errors.sort(key=lambda error: isinstance(error, BrokenBarrierError))
    if errors:
        raise errors[0]
    return [results[each] for each in parents]


def _work(turn: Turn, names: Mapping[str, str], task: str, packed: bytes) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _set_up(names)
        turn.wait()
        kind, said = "result", _call(task, turn, packed)
    except BaseException as error:
        turn.barrier.abort()
        kind, said = "error", _portable(error)
    turn.parent.send((kind, said))


def _end_with_parent() -> None:
    """Not even a parent that was killed leaves us behind, at work on its tables."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _portable(error: BaseException) -> BaseException:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _set_up(names: Mapping[str, str]) -> None:
    import django
    from django.conf import settings

    # With DEBUG on, every query is recorded and repeated back, which takes longer than the query.
    settings.DEBUG = False
    for alias, name in names.items():
        settings.DATABASES[alias]["NAME"] = name
    django.setup()


def _call(task: str, turn: Turn, packed: bytes) -> Any:
    from django.db import connections
    from django.utils.module_loading import import_string

    try:
        return import_string(task)(turn, *pickle.loads(packed))  # noqa: S301 (our own)
    finally:
        connections.close_all()
