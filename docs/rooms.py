"""Draws the rooms of the package and who imports whom, from the imports as they are."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "dedupe_toolkit"
CELL, NAMES, TOP, TEXT = 26, 190, 130, "#7a8288"


def rooms() -> dict[str, Path]:
    """The folders that hold code of one purpose, by their dotted names."""
    found = {
        folder.name: folder for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()
    }
    del found["migrations"]
    return found | {"planning.reasons": PACKAGE / "planning" / "reasons"}


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports; types alone are no import."""
    known = rooms()
    uses: dict[str, set[str]] = {name: set() for name in known}
    for name, folder in known.items():
        for path in folder.rglob("*.py"):
            if _room(path, known) == name:
                uses[name] |= {used for used in _used(path, known) if used != name}
    return uses


def _room(path: Path, known: dict[str, Path]) -> str:
    """The innermost room that a file lies in."""
    around = [name for name, folder in known.items() if folder in path.parents]
    return max(around, key=len, default="")


def _used(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in _runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                yield _room(folder / alias.name, known)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from _runtime_nodes(node)


def lowest_first(uses: dict[str, set[str]]) -> list[str]:
    """The rooms in an order in which each imports only those before it.

    Raises `ValueError` where some import each other in a circle.
    """
    order: list[str] = []
    while len(order) < len(uses):
        ready = sorted(name for name in uses if name not in order and uses[name] <= {*order, ""})
        if not ready:
            raise ValueError(f"a circle of imports among {sorted(set(uses) - set(order))}")
        order += ready
    return order


def drawing() -> str:
    """An SVG: a row and a column for each room, and a dot where the row's imports the column's."""
    uses = imports()
    order = lowest_first(uses)
    width, height = NAMES + CELL * len(order) + 80, TOP + CELL * len(order) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="system-ui, sans-serif" font-size="14">',
        "<title>Which room imports which</title>",
    ]
    for at, name in enumerate(order):
        across, down = NAMES + CELL * at, TOP + CELL * at
        middle = across + CELL / 2
        parts += [
            f'<text x="{NAMES - 10}" y="{down + 18}" text-anchor="end" fill="{TEXT}">{name}</text>',
            f'<text transform="translate({middle + 5} {TOP - 8}) rotate(-60)" fill="{TEXT}">'
            f"{name}</text>",
            f'<path d="M{NAMES} {down}h{CELL * len(order)}M{across} {TOP}v{CELL * len(order)}"'
            f' stroke="{TEXT}" stroke-opacity=".25"/>',
            f'<rect x="{across}" y="{down}" width="{CELL}" height="{CELL}" fill="{TEXT}"'
            ' fill-opacity=".2"/>',
        ]
        parts += [
            f'<circle cx="{NAMES + CELL * order.index(used) + CELL / 2}" cy="{down + CELL / 2}"'
            ' r="6" fill="#2f81f7"/>'
            for used in sorted(uses[name] & set(order))
        ]
    return "\n".join([*parts, "</svg>", ""])
