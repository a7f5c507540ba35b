"""Runs as they go: a table drawn anew at a terminal, a line for each change in a pipe."""

from __future__ import annotations

import json
from time import sleep
from typing import TYPE_CHECKING

from django.core.serializers.json import DjangoJSONEncoder

from ..printing import drawn_table, on_one_line
from ..reports.formats import Format
from ..reports.run_list import COLUMNS, NUMBERS, run_as_plain, run_cells, run_notes, runs_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console, RenderableType

    from ..journal.progress import RunProgress

    Look = Callable[[], Sequence[RunProgress]]

EVERY = 1.0
"""Seconds from one look to the next."""


def watch_at_terminal(console: Console, look: Look) -> None:
    """Show the runs until none of them goes on."""
    from rich.live import Live  # for people only

    runs = look()
    with Live(_drawn(console, runs), console=console, auto_refresh=False) as live:
        while any(run.is_open for run in runs):
            sleep(EVERY)
            runs = look()
            live.update(_drawn(console, runs), refresh=True)


def _drawn(console: Console, runs: Sequence[RunProgress]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = drawn_table(console, COLUMNS, [run_cells(run) for run in runs], NUMBERS)
    return Group(table, *(Text(note) for run in runs for note in run_notes(run)))


def watch_line_by_line(write: Callable[[str], None], look: Look, shape: str) -> None:
    """Write a line for each run, and another whenever it has changed, until none goes on.

    A table is parted by tabs, CSV has its header once, and each line of JSON is a document.
    """
    lines = _Lines(shape)
    for header in lines.headers:
        write(header)
    seen: dict[int, tuple[object, ...]] = {}
    while True:
        runs = look()
        for run in runs:
            now = (run.status, run.run.batches, run.done, run.waits_for)
            if seen.get(run.run.pk) != now:
                seen[run.run.pk] = now
                write(lines.of(run))
        if not any(run.is_open for run in runs):
            return
        sleep(EVERY)


class _Lines:
    def __init__(self, shape: str) -> None:
        self.shape = shape

    @property
    def headers(self) -> list[str]:
        if self.shape == Format.JSON:
            return []
        return [runs_csv([]) if self.shape == Format.CSV else "\t".join(COLUMNS)]

    def of(self, run: RunProgress) -> str:
        if self.shape == Format.JSON:
            return json.dumps(run_as_plain(run), cls=DjangoJSONEncoder, ensure_ascii=False)
        if self.shape == Format.CSV:
            return runs_csv([run]).partition("\n")[2]
        return "\t".join(map(on_one_line, run_cells(run)))
