"""How far a run has come, and whether anybody is still at work on it. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from ..databases import database
from ..databases.tables import require_table
from ..keys import check_alias
from ..models import MergeRun

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

Status = MergeRun.Status

_OPEN = (Status.RUNNING, Status.PAUSED)


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """What a run has done by now, and how fast.

    ``status`` is that of the run, as `status_now` knows it. ``done`` are groups merged or held
    back, of ``groups``. ``rate`` is rows merged in a second, ``seconds_left`` what the other groups
    take at this pace; None where there is nothing to tell it from. ``lock_seconds`` is for how long
    the last batch has held its locks, or the one under way if that is longer.
    """

    run: MergeRun
    status: str
    groups: int
    done: int
    rows: int
    seconds: float
    rate: float | None
    seconds_left: float | None
    lock_seconds: float
    waits_for: str

    @property
    def is_open(self) -> bool:
        """Whether more may happen by itself."""
        return self.status in _OPEN


def merge_runs(using: str, model: type[Model] | None = None) -> QuerySet[MergeRun]:
    """The runs of a database, or of one model in it, the latest first.

    Raises `InvalidMatchKey` for a database that there is not, or that has no journal.
    """
    check_alias(using)
    require_table(MergeRun, using)
    runs = MergeRun.objects.using(using).order_by("-pk")
    return runs if model is None else runs.filter(model=model._meta.label)


def progress_of(run: MergeRun) -> RunProgress:
    """How far the run has come, by its row and, if that says that it is running, its lock."""
    status = status_now(run)
    is_running = status == Status.RUNNING
    done = min(run.merged + run.groups_held_back, run.groups)
    seconds, lock_seconds = run.seconds, run.lock_seconds
    if is_running:
        since = (timezone.now() - (run.progressed or run.started)).total_seconds()
        seconds += since
        lock_seconds = lock_seconds if run.waits_for else max(lock_seconds, since)
    left = (run.groups - done) * seconds / run.merged if run.merged else None
    return RunProgress(
        run=run,
        status=status,
        groups=run.groups,
        done=done,
        rows=run.rows_merged,
        seconds=seconds,
        rate=run.rows_merged / seconds if run.rows_merged and seconds else None,
        seconds_left=left if is_running else None,
        lock_seconds=lock_seconds,
        waits_for=run.waits_for if status in _OPEN else "",
    )


def status_now(run: MergeRun) -> str:
    """The status of the run; ``interrupted`` if its row says ``running`` and nobody works on it.

    Looks at the lock of its model, which is neither taken nor waited for.
    """
    if run.status != Status.RUNNING or database(run.using).is_run_lock_held(run.model):
        return run.status
    # a run says that it is done before it lets go of its lock: it may have done both meanwhile
    rows = MergeRun.objects.using(run.using).filter(pk=run.pk)
    status = rows.values_list("status", flat=True).first()
    return str(Status.INTERRUPTED if status == Status.RUNNING else status or run.status)
