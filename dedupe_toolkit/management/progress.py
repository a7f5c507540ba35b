"""A progress bar on standard error, for people: nothing is shown in a pipe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import RenderableType


@contextmanager
def progress_bar(
    label: str, verbosity: int, detail: Callable[[], str] = str
) -> Iterator[Callable[[int, int], None]]:
    """Yields a function to call with how much is done, and of how much.

    ``detail`` is asked each time for what else there is to tell, in a line below the bar.
    """
    with _bar(verbosity) as bar:
        task = bar.add_task(label, total=None, rate="")

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if not bar.disable:
                bar.update(task, rate=_rate(bar.tasks[task].speed))
                bar.detail = detail()

        yield update


def _bar(verbosity: int) -> Any:
    # imported for people only: a pipe and the help of a command need none of it
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Bar(Progress):
        detail = ""

        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            if self.detail:
                yield Text(self.detail)

    console = Console(file=sys.stderr)
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", justify="right"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal or verbosity == 0,
        transient=True,
    )


def _rate(speed: float | None) -> str:
    """Steps a second in words; empty until two points in time are known."""
    return "" if speed is None else f"{speed:,.0f}/s"
