"""The plot of what writers wait for beside a merge, in one batch and in batches by time."""

from __future__ import annotations

from statistics import median
from typing import Any

from .drawing import pyplot, save
from .suite import BESIDE, LONGEST_WAIT, MOST_WAITING

WIDTH = 0.4
PANELS = (
    ("longest", "longest wait of a writer, seconds", LONGEST_WAIT),
    ("share", "share of their time that writers waited", MOST_WAITING),
)


def draw_waits(samples: dict[str, Any], name: str) -> None:
    """Both panels, of the largest tables that were measured; nothing if there are none."""
    measured = _largest(samples)
    if not measured:
        return
    figure, axes = pyplot().subplots(1, len(PANELS), figsize=(10, 4))
    for axis, (what, title, goal) in zip(axes, PANELS, strict=True):
        for number, label in enumerate(BESIDE):
            heights = [_waits(found[label], what) for found in measured.values()]
            places = [place + WIDTH * (number - 0.5) for place in range(len(heights))]
            axis.bar_label(axis.bar(places, heights, WIDTH, label=label), fmt="%.2g")
        axis.axhline(goal, color="k", linestyle=":", linewidth=0.8, label="goal")
        axis.set_xticks(range(len(measured)), list(measured))
        axis.set_title(title)
    save(figure, axes[0], name)


def _waits(found: list[dict[str, Any]], what: str) -> float:
    """The median of the repetitions."""
    return median(sample[what] for sample in found)


def _largest(samples: dict[str, Any]) -> dict[str, Any]:
    """By database, what was measured beside writers in the largest tables."""
    found: dict[str, tuple[int, Any]] = {}
    for key, measured in samples.items():
        if key.endswith(" writers"):
            database, size, _ = key.split(" ")
            both = found.get(database, (0, None)), (int(size), measured)
            found[database] = max(both, key=lambda one: one[0])
    return {database: measured for database, (_, measured) in found.items()}
