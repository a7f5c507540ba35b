"""Imports point down only: a module uses the rooms below its own, never one above."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe_toolkit.references.kinds import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "dedupe_toolkit"

LAYERS = [  # lowest first; rooms of one layer may use each other
    {
        "errors",
        "values",
        "plan_values",
        "sentences",
        "verbose",
        "wording",
        "conf",
        "arguments",
        "suggest",
    },
    {"databases", "transforms"},
    {"references", "keys", "command_lines", "plain", "registry", "signals"},
    {"fields", "indexes", "models", "migrations"},
    {"journal"},
    {"finding"},
    {"mapping"},
    {"repointing"},
    {"field_rules"},
    {"collisions"},
    {"planning.reasons"},
    {"planning"},
    {"merging"},
    {"undoing", "reviewing"},
    {"queue"},
    {"operations"},
    {"source"},
    {"survivors", "checks", "printing", "reports", "audit", "prove", "guard"},
    {"redirects"},
    {"admin", "management", "views", "urls", "templatetags", "apps", "pytest_plugin", "__init__"},
]
LEVEL = {room: level for level, layer in enumerate(LAYERS) for room in layer}

# Only one place asks which database it is; everything else asks what it can do.
VENDOR = re.compile(r"\.vendor\b|[\"'](?:sqlite|postgresql|mysql|mariadb|oracle)[\"']")


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_at(path: Path) -> str:
    """``planning.plan`` for ``planning/plan.py``, and ``planning`` for its ``__init__.py``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room of a module: ``planning.reasons`` for one of the reasons, else its first name."""
    first, _, rest = module.partition(".")
    inner = f"{first}.{rest.partition('.')[0]}"
    return inner if inner in LEVEL else first


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


@cache
def imports() -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports."""
    paths = {module_at(path): path for path in files()}
    return {module: set(_modules_in(path, paths)) - {module} for module, path in paths.items()}


def _modules_in(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for name in imported_names(path):
        if name.split(".")[0] == PACKAGE.name:
            inside = name.partition(".")[2]
            there = [inside, inside.rpartition(".")[0]]
            yield next((module for module in there if module in known), "__init__")


def reached(module: str) -> set[str]:
    found: set[str] = set()
    ahead = set(imports()[module])
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead |= imports()[one]
    return found


@pytest.mark.parametrize("module", [module_at(path) for path in files()])
def test_a_module_has_a_room_and_imports_none_above_it(module: str) -> None:
    room = room_of(module)
    assert room in LEVEL, f"{room} has no layer yet: give it one in LAYERS"
    above = [used for used in imports()[module] if LEVEL[room_of(used)] > LEVEL[room]]
    assert not above, f"{module} reaches up to {', '.join(sorted(above))}"


def test_no_imports_run_in_a_circle() -> None:
    assert [module for module in imports() if module in reached(module)] == []


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        module
        for path in files()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        and (module := module_at(path)) in LEVEL
        and module != "migrations"
    ]
    assert silent == []


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_databases_room_names_a_database(path: Path) -> None:
    if room_of(module_at(path)) == "databases":
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [f"{at}: {line.strip()}" for at, line in enumerate(lines, 1) if VENDOR.search(line)]
    assert not named, "ask for an ability in databases instead of a name:\n" + "\n".join(named)


def kinds_of(base: type[Reference]) -> Iterator[str]:
    for kind in base.__subclasses__():
        yield kind.__name__
        yield from kinds_of(kind)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_reference_is_asked_for_its_class(path: Path) -> None:
    kinds = {Reference.__name__, *kinds_of(Reference)}
    asked = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass")
        if kinds.intersection(re.findall(r"\w+", ast.unparse(node.args[1])))
    ]
    assert not asked, "let each kind answer for itself"
