"""A merge as commands carry it out: with its progress, and a sentence where it is stopped."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from django.db import Error, connections

import dedupe_toolkit

from ..databases import database
from ..errors import MergeRunning
from ..journal.runs import latest_run
from ..models import MergeRun
from ..printing import counted
from ..reports.runs import undo_line
from .login import login
from .process import ending_gently
from .progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..plan_values import MergePlan


def merge_shown(
    plan: MergePlan,
    verbosity: int,
    *,
    wait: float = 0,
    max_lag: float | None = None,
    replicas: Sequence[str] = (),
    stop: Callable[[], bool] = lambda: False,
) -> MergeRun:
    """Carry the plan out with a progress bar; in a pipe a line tells what it waits for.

    Another merge of the model is waited for so many seconds. A service manager's SIGTERM ends it
    after the batch under way. So does ``stop``, which is asked then: the run it returns is
    ``interrupted``.

    Raises what stopped it, `KeyboardInterrupt` or the database's error, with a sentence that says
    what is merged and how to go on.
    """
    told = _Told(plan)
    try:
        if wait and verbosity:
            told.before_the_first()
        with (
            ending_gently() as is_told,
            _stopped_while_waiting(is_told),
            progress_bar("Merging", verbosity, told.at_terminal) as progress,
        ):

            def tell(done: int, total: int) -> None:
                progress(done, total)
                told.goes_on(verbosity)

            return dedupe_toolkit.merge(
                plan,
                progress=tell,
                by=login(),
                origin=MergeRun.Origin.COMMAND,
                wait=wait,
                max_lag=max_lag,
                replicas=replicas,
                stop=lambda: stop() or is_told(),
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(told.so_far()) from None
    except Error as error:
        if not connections[plan.using].in_atomic_block:
            with suppress(Error):  # a database that is gone is what must be told
                error.add_note(told.so_far())
        raise


@contextmanager
def _stopped_while_waiting(is_told: Callable[[], bool]) -> Iterator[None]:
    """A wait for another merge that has ended because somebody asked for it is no refusal."""
    try:
        yield
    except MergeRunning:
        if is_told():
            raise KeyboardInterrupt from None
        raise


class _Told:
    """What the row of the run under way says, whose lock is ours: the latest of its model."""

    def __init__(self, plan: MergePlan) -> None:
        self.plan = plan
        self.before = latest_run(plan.source.model, plan.using)
        self.has_begun = False
        self.is_waiting = False

    def before_the_first(self) -> None:
        """Say so where the run cannot begin yet."""
        if database(self.plan.using).is_run_lock_held(self.plan.source.model._meta.label):
            waiting = "Waiting: for the end of another merge of this model."
            print(waiting, file=sys.stderr, flush=True)

    def goes_on(self, verbosity: int) -> None:
        self.has_begun = True
        if verbosity:
            self.in_pipe()

    def at_terminal(self) -> str:
        run = latest_run(self.plan.source.model, self.plan.using)
        if run is None:
            return ""
        if run.waits_for:
            return f"waits: {run.waits_for}"
        return f"{counted(run.rows_merged, 'row')}, locks {run.lock_seconds:.2f} s"

    def in_pipe(self) -> None:
        """Say once, each time that the run begins to wait, what for."""
        if sys.stderr.isatty():
            return
        run = latest_run(self.plan.source.model, self.plan.using)
        waits_for = run.waits_for if run else ""
        if waits_for and not self.is_waiting:
            print(f"Waiting: {waits_for}.", file=sys.stderr, flush=True)
        self.is_waiting = bool(waits_for)

    def so_far(self) -> str:
        """What a merge that was stopped has done, and how to go on."""
        run = latest_run(self.plan.source.model, self.plan.using)
        if run is not None and not self._is_ours(run):
            run = None
        return stopped(run, self.plan.using)

    def _is_ours(self, run: MergeRun) -> bool:
        """Another's may have begun while we waited; ours has been stopped."""
        is_stopped = self.has_begun or run.status == MergeRun.Status.INTERRUPTED
        return is_stopped and run != self.before


def stopped(run: MergeRun | None, using: str) -> str:
    """What a run that was stopped has done, and how to go on."""
    if run is None or not run.merged:
        return "Stopped: nothing was merged."
    return (
        f"Stopped: {counted(run.merged, 'group')} merged in run {run.pk}, the others are as they"
        f" were. The same command goes on; {undo_line(run, using)} takes it back."
    )
