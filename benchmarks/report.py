"""The rows of the result, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console


@dataclass(frozen=True)
class Row:
    """One number, or the ratio of two.

    A ratio should stay below ``goal`` or reach ``least``; a plain number should stay below
    ``limit``.
    """

    what: str
    value: float
    against: float | None = None
    goal: float | None = None
    limit: float | None = None
    least: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        return self.value / self.against if self.against else None

    @property
    def is_met(self) -> bool | None:
        """Whether the number is as good as it should be; None if nothing is asked of it."""
        if self.ratio is not None and self.goal is not None:
            return self.ratio <= self.goal
        if self.ratio is not None and self.least is not None:
            return self.ratio >= self.least
        return None if self.limit is None else self.value <= self.limit

    @property
    def asked(self) -> str:
        if self.goal is not None:
            return f"≤ {self.goal:g} x"
        if self.least is not None:
            return f"≥ {self.least:g} x"
        return "" if self.limit is None else f"≤ {self.limit:g} {self.unit}"


Results = dict[tuple[str, int], list[Row]]


def show(console: Console, results: Results, *, is_judged: bool) -> None:
    """One table: what was measured, on which database, at which size."""
    table = Table("database", "authors", "what", title="Benchmarks")
    for heading in ("measured", "against", "ratio", *(["asked", ""] if is_judged else [])):
        table.add_column(heading, justify="right")
    for (database, authors), rows in results.items():
        for row in rows:
            table.add_row(database, f"{authors:,}" if authors else "", *_cells(row, is_judged))
        table.add_section()
    console.print(table)


def _cells(row: Row, is_judged: bool) -> Iterable[str]:
    against = "" if row.against is None else _number(row.against, row.unit)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
    cells = [row.what, _number(row.value, row.unit), against, ratio]
    verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.is_met]
    return [*cells, row.asked, verdict] if is_judged else cells


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def save(path: Path, results: Results, samples: dict[str, Any]) -> None:
    """Every row and every sample, for plots and for comparing runs."""
    rows = [
        {"database": database, "authors": authors, **asdict(row), "ratio": row.ratio}
        for (database, authors), found in results.items()
        for row in found
    ]
    path.write_text(json.dumps({"rows": rows, "samples": samples}, indent=1) + "\n")
