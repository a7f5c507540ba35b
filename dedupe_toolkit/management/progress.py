"""A progress bar on standard error, for people: nothing is shown in a pipe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_bar(
    label: str, verbosity: int, detail: Callable[[], str] = str
) -> Iterator[Callable[[int, int], None]]:
    """Yields a function to call with how much is done, and of how much.

    ``detail`` is asked each time for what else there is to tell, but in a pipe.
    """
    # imported for people only: a pipe and the help of a command need none of it
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TextColumn("{task.fields[rate]}", justify="right"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=console,
        disable=not console.is_terminal or verbosity == 0,
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=None, rate="", detail="")

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if not bar.disable:
                bar.update(task, rate=_rate(bar.tasks[task].speed), detail=detail())

        yield update


def _rate(speed: float | None) -> str:
    """Steps a second in words; empty until two points in time are known."""
    return "" if speed is None else f"{speed:,.0f}/s"
