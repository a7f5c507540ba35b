"""A merge as commands carry it out: with its progress, and a sentence where it is stopped."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import Error, connections

import dedupe_toolkit

from ..databases import database
from ..journal.runs import latest_run
from ..models import MergeRun
from ..printing import counted
from ..reports.runs import undo_line
from .login import login
from .process import ending_gently
from .progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..values import MergePlan


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
    before = latest_run(plan.source.model, plan.using)
    if wait and verbosity and database(plan.using).is_run_lock_held(plan.source.model._meta.label):
        print("Waiting: for the end of another merge of this model.", file=sys.stderr, flush=True)
    try:
        told = _Told(plan)
        with (
            ending_gently() as is_told,
            progress_bar("Merging", verbosity, told.at_terminal) as progress,
        ):

            def tell(done: int, total: int) -> None:
                progress(done, total)
                if verbosity:
                    told.in_pipe()

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
        raise KeyboardInterrupt(_so_far(plan, before)) from None
    except Error as error:
        if not connections[plan.using].in_atomic_block:
            with suppress(Error):  # a database that is gone is what must be told
                error.add_note(_so_far(plan, before))
        raise


class _Told:
    """What the row of the run under way says, whose lock is ours: the latest of its model."""

    def __init__(self, plan: MergePlan) -> None:
        self.plan = plan
        self.is_waiting = False

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


def _so_far(plan: MergePlan, before: MergeRun | None) -> str:
    """What a merge that was stopped has done, and how to go on."""
    run = latest_run(plan.source.model, plan.using)
    return stopped(run if run != before else None, plan.using)


def stopped(run: MergeRun | None, using: str) -> str:
    """What a run that was stopped has done, and how to go on."""
    if run is None or not run.merged:
        return "Stopped: nothing was merged."
    return (
        f"Stopped: {counted(run.merged, 'group')} merged in run {run.pk}, the others are as they"
        f" were. The same command goes on; {undo_line(run, using)} takes it back."
    )
