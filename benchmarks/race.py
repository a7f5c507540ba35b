"""``python -m benchmarks.race NAME=FILE …``: the race as a chart of the documentation.

Each file is what ``prove_get_or_create --format json`` printed on the database of that name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SIDES = {"without": "without a constraint", "with": "with the constraint"}


def main() -> None:
    """Draw the files named on the command line, from the top down."""
    proofs = dict(one.split("=", 1) for one in sys.argv[1:])
    draw({name: json.loads(Path(file).read_text()) for name, file in proofs.items()})


def draw(proofs: dict[str, Any]) -> None:
    """Two bars for each database: surplus rows, and calls that raised, per 1,000 calls."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    labels = [f"{name}, {side}" for name in proofs for side in SIDES.values()]
    races = [proof[side] for proof in proofs.values() for side in SIDES]
    surplus = [1000 * race["duplicates"] / race["calls"] for race in races]
    raised = [1000 * sum(race["errors"].values()) / race["calls"] for race in races]
    figure, axis = pyplot.subplots(figsize=(8, 0.5 * len(labels) + 1))
    axis.barh(labels, surplus, color="#c0392b", label="duplicates")
    axis.barh(labels, raised, left=surplus, color="#e6b8a2", label="calls that raised")
    for place, (rows, errors) in enumerate(zip(surplus, raised, strict=True)):
        axis.annotate(f" {rows:.0f} + {errors:.0f}", (rows + errors, place), va="center")
    axis.invert_yaxis()
    axis.set_xlabel("per 1,000 calls of get_or_create")
    axis.set_xlim(0, 1.3 * max(map(sum, zip(surplus, raised, strict=True))))
    axis.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(IMAGES / "race.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
