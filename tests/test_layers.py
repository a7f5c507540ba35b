"""Imports point down only: a module uses the layers below its own, never one above."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "dedupe_toolkit"

LAYERS = [  # lowest first; modules of one layer may use each other
    {"errors", "values", "conf", "suggest"},
    {"databases", "transforms"},
    {"graph", "keys", "registry", "signals"},
    {"indexes", "models", "migrations"},
    {"engine"},
    {"source", "operations"},
    {"survivors", "checks", "reports"},
    {"admin", "management", "views", "urls", "templatetags", "apps", "__init__"},
]
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}

# Only one place asks which database it is; everything else asks what it can do.
VENDOR = re.compile(r"\.vendor\b|[\"'](?:sqlite|postgresql|mysql|mariadb|oracle)[\"']")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to: ``engine`` for ``engine/plan.py``."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under ``if TYPE_CHECKING``: types may look up, code may not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from runtime_nodes(node)


def imported_names(path: Path) -> Iterator[str]:
    """The full names of all modules, or names in modules, that a file imports, at any depth."""
    package = [PACKAGE.name, *path.relative_to(PACKAGE).parent.parts]
    for node in runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def parts_used(path: Path) -> set[str]:
    own = (name.split(".") for name in imported_names(path) if name.startswith("dedupe_toolkit"))
    return {names[1] if len(names) > 1 and names[1] in LEVEL else "__init__" for names in own}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_a_layer_and_imports_no_layer_above_it(path: Path) -> None:
    part = part_of(path)
    assert part in LEVEL, f"{part} has no layer yet: give it one in LAYERS"
    above = sorted(used for used in parts_used(path) if LEVEL[used] > LEVEL[part])
    assert not above, f"{path.relative_to(PACKAGE)} reaches up to {', '.join(above)}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_databases_layer_names_a_database(path: Path) -> None:
    if part_of(path) == "databases":
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [f"{at}: {line.strip()}" for at, line in enumerate(lines, 1) if VENDOR.search(line)]
    assert not named, "ask for an ability in databases instead of a name:\n" + "\n".join(named)
