"""A merge as commands carry it out: with its progress, and a sentence where it is stopped."""

from __future__ import annotations

from contextlib import suppress
from getpass import getuser
from typing import TYPE_CHECKING

from django.db import Error, connections

import dedupe_toolkit

from ..journal.runs import latest_run
from ..models import MergeRun
from ..printing import counted
from ..reports.runs import undo_line
from .progress import progress_bar

if TYPE_CHECKING:
    from ..values import MergePlan


def merge_shown(plan: MergePlan, verbosity: int) -> MergeRun:
    """Carry the plan out with a progress bar.

    Raises what stopped it, `KeyboardInterrupt` or the database's error, with a sentence that says
    what is merged and how to go on.
    """
    before = latest_run(plan.source.model, plan.using)
    try:
        with progress_bar("Merging", verbosity) as progress:
            return dedupe_toolkit.merge(
                plan, progress=progress, by=_login(), origin=MergeRun.Origin.COMMAND
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_stopped(plan, before)) from None
    except Error as error:
        if not connections[plan.using].in_atomic_block:
            with suppress(Error):  # a database that is gone is what must be told
                error.add_note(_stopped(plan, before))
        raise


def _login() -> str:
    """The name of whoever is logged in to this machine, as far as it knows."""
    with suppress(OSError, KeyError):  # a container may know no name for its user
        return getuser()
    return ""


def _stopped(plan: MergePlan, before: MergeRun | None) -> str:
    """What a merge that a person stopped has done, and how to go on."""
    run = latest_run(plan.source.model, plan.using)
    if run is None or run == before or not run.merged:
        return "Stopped: nothing was merged."
    return (
        f"Stopped: {counted(run.merged, 'group')} merged in run {run.pk}, the others are as they"
        f" were. The same command goes on; {undo_line(run, plan.using)} takes it back."
    )
