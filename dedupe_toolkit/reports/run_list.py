"""Merge runs as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.utils.timezone import is_aware, localtime

from ..journal.progress import Status
from ..printing import counted
from .formats import as_csv
from .going_on import going_on, taking_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..journal.progress import RunProgress

COLUMNS = (
    "run",
    "model",
    "key",
    "by",
    "started",
    "status",
    "groups",
    "held back",
    "rows",
    "rows/s",
    "left",
    "locks",
)
NUMBERS = ("groups", "held back", "rows", "rows/s", "left", "locks")


def runs_document(runs: Iterable[RunProgress]) -> dict[str, Any]:
    return {"runs": [run_as_plain(run) for run in runs]}


def run_as_plain(progress: RunProgress) -> dict[str, Any]:
    """One run, as JSON has it."""
    return {name: fact(progress) for name, fact in _FACTS.items()}


_FACTS: dict[str, Callable[[RunProgress], Any]] = {
    "run": attrgetter("run.pk"),
    "model": attrgetter("run.model"),
    "fields": attrgetter("run.fields"),
    "by": attrgetter("run.by"),
    "origin": attrgetter("run.origin"),
    "started": attrgetter("run.started"),
    "finished": attrgetter("run.finished"),
    "status": attrgetter("status"),
    "groups": attrgetter("groups"),
    "done": attrgetter("done"),
    "merged": attrgetter("run.merged"),
    "held_back": attrgetter("run.groups_held_back"),
    "rows_merged": attrgetter("rows"),
    "batches": attrgetter("run.batches"),
    "seconds": lambda progress: round(progress.seconds, 3),
    "rows_per_second": lambda progress: _rounded(progress.rate),
    "seconds_left": lambda progress: _rounded(progress.seconds_left),
    "lock_seconds": lambda progress: round(progress.lock_seconds, 3),
    "waits_for": attrgetter("waits_for"),
    "go_on": lambda progress: going_on(progress) or None,
    "undo": lambda progress: taking_back(progress) or None,
}
"""What JSON and CSV say of a run, in order."""


def runs_csv(runs: Iterable[RunProgress]) -> str:
    plain = [run_as_plain(run) for run in runs]
    rows = [
        {name: _cell(value) for name, value in one.items()}
        | {"fields": " ".join(one["fields"])}
        | {name: one[name] and one[name].isoformat() for name in ("started", "finished")}
        for one in plain
    ]
    return as_csv(rows, list(_FACTS))


def run_cells(progress: RunProgress) -> list[str]:
    """One run under `COLUMNS`."""
    run = progress.run
    started = localtime(run.started) if is_aware(run.started) else run.started
    is_whole = progress.done == progress.groups
    return [
        str(run.pk),
        run.model,
        ", ".join(run.fields) or "rows named one by one",
        run.by,
        f"{started:%Y-%m-%d %H:%M}",
        progress.status,
        f"{progress.groups:,}" if is_whole else f"{progress.done:,} of {progress.groups:,}",
        f"{run.groups_held_back:,}",
        f"{progress.rows:,}",
        "" if progress.rate is None else f"{progress.rate:,.0f}",
        "" if progress.seconds_left is None else in_clock_time(progress.seconds_left),
        f"{progress.lock_seconds:.2f} s" if run.batches else "",
    ]


def run_notes(progress: RunProgress) -> Iterator[str]:
    """What a run waits for; of one that was cut off, what it has done and what can be done now."""
    run = progress.run
    if progress.waits_for:
        yield f"Run {run.pk} waits: {progress.waits_for}."
    if progress.status == Status.PAUSED:
        yield f"Run {run.pk} is gone on with in the admin, on the page of its duplicates."
    if progress.status == Status.INTERRUPTED:
        yield (
            f"Run {run.pk} was cut off: {counted(run.merged, 'group')}"
            f" ({counted(progress.rows, 'row')}) merged, the others are as they were."
        )
        if progress.done < progress.groups:
            line = going_on(progress)
            yield f"Go on with: {line}" if line else _ANYHOW
        if taking_back(progress):
            yield f"Undo it with: {taking_back(progress)}"


_ANYHOW = "Go on by merging again from where it was begun."


def in_clock_time(seconds: float) -> str:
    """``0:07``, ``12:30``, ``3:05:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _cell(value: Any) -> Any:
    return "" if value is None else value
