"""``python -m benchmarks.publish benchmarks.json …``: the plots and tables of the documentation.

Plots show time against size, both logarithmic; what is steeper than the dotted line grows
faster than linear.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .drawing import pyplot, save
from .report import Row
from .runner import middle, waited
from .suite import BATCHES, JOURNALED, ONE_BATCH, PEERS, RAW
from .waits import draw_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCS = Path(__file__).parent.parent / "docs"
TABLE = DOCS / "explanation" / "performance-table.inc"
PEERS_TABLE = DOCS / "explanation" / "performance-peers.inc"
MERGES = [RAW, JOURNALED, ONE_BATCH, BATCHES]
CPU = "CPU seconds, client and server"
MARKS = dict(zip([*MERGES, *PEERS], "ov^s<>DP", strict=True))

Curves = dict[str, dict[str, list[tuple[int, float]]]]


def main() -> None:
    """Put what the files named on the command line hold into the documentation."""
    samples: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for name in sys.argv[1:]:
        found = json.loads(Path(name).read_text())
        samples |= found["samples"]
        rows += found["rows"]
    of_peers = [row for row in rows if row["what"].startswith((RAW, *PEERS))]
    _write(TABLE, [row for row in rows if row not in of_peers])
    _write(PEERS_TABLE, of_peers)
    _draw(_curves(samples, "merge", MERGES, middle), "authors", CPU, "performance-merge.svg")
    peers = _curves(samples, "peers", [RAW, ONE_BATCH, *PEERS], waited)
    _draw(peers, "writers", "seconds", "performance-peers.svg")
    draw_waits(samples, "performance-writers.svg")


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    if rows:
        path.write_text("\n".join(_table(rows)) + "\n")


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What was measured by rows, sizes and databases by columns."""
    places = sorted({(row["authors"], row["database"]) for row in rows if row["authors"]})
    cells: dict[str, dict[tuple[int, str], str]] = defaultdict(dict)
    for row in rows:
        cells[row["what"]][row["authors"], row["database"]] = _cell(Row(**_fields(row)))
    yield "| | " + " | ".join(f"{database} {size:,}" for size, database in places) + " | asked |"
    yield "|---|" + "--:|" * (len(places) + 1)
    for what, found in cells.items():
        goals = (Row(**_fields(row)).asked for row in rows if row["what"] == what)
        asked = ", ".join(filter(None, dict.fromkeys(goals)))
        values = [found.get(place, found.get((0, "any"), "")) for place in places]
        yield f"| {what} | {' | '.join(values)} | {asked} |"


def _cell(row: Row) -> str:
    text = f"{row.value:.3g} {row.unit}".strip() if row.ratio is None else f"{row.ratio:.2f}"
    return f"**{text}**" if row.is_met is False else text


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Row.__match_args__}


def _curves(
    samples: dict[str, Any], part: str, contestants: list[str], seconds: Callable[..., float]
) -> Curves:
    """The ``seconds`` of each contestant, by `middle` or `waited`, by database and size."""
    curves: Curves = defaultdict(lambda: defaultdict(list))
    for key, measured in samples.items():
        if not key.endswith(f" {part}"):
            continue
        database, size, _ = key.split(" ")
        for contestant in contestants:
            timed = [one for one in measured[contestant] if "total" in one]
            if timed:
                curves[database][contestant].append((int(size), seconds(timed, "total")))
    return curves


def _draw(curves: Curves, rows: str, seconds: str, name: str) -> None:
    if not curves:
        return
    figure, axes = pyplot().subplots(
        1, len(curves), figsize=(4 * len(curves), 4), sharey=True, squeeze=False
    )
    for axis, (database, lines) in zip(axes[0], curves.items(), strict=True):
        for contestant, points in lines.items():
            axis.loglog(
                *zip(*sorted(points), strict=True), f"{MARKS[contestant]}-", label=contestant
            )
        _linear(axis, lines)
        axis.set_title(database)
        axis.set_xlabel(rows)
    axes[0][0].set_ylabel(seconds)
    save(figure, axes[0][0], name)


def _linear(axis: Any, lines: dict[str, list[tuple[int, float]]]) -> None:
    """A dotted line of linear growth through the cheapest first point."""
    first = min((min(points) for points in lines.values()), key=lambda point: point[1])
    last = max(size for points in lines.values() for size, _ in points)
    axis.plot([first[0], last], [first[1], first[1] * last / first[0]], "k:", linewidth=0.8)


if __name__ == "__main__":
    main()
