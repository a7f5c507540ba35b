"""How plots of the documentation are drawn: the same file for the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def pyplot() -> Any:
    """Matplotlib, drawing SVG of which only a change of numbers is a change."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    return pyplot


def save(figure: Any, axis: Any, name: str) -> None:
    """Save a figure, with the legend of one of its plots below all, where it hides nothing."""
    drawn = axis.get_legend_handles_labels()
    legend = figure.legend(*drawn, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3)
    figure.tight_layout()
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(
        IMAGES / name,
        metadata={"Date": None},
        bbox_inches="tight",
        bbox_extra_artists=[legend],
    )
