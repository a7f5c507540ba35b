"""What a model's own ``save()`` does to its fields, as far as its source says."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

_CLEANS = {"clean", "full_clean"}
_PASSING = {"super", "pre_save", "getattr", "get_prep_value", "to_python", "get_attname"}


@cache
def changed_by_save(model: type[Model]) -> dict[str, set[str]]:
    """The fields that ``save()`` makes anew of themselves, with the functions it does it with."""
    found: dict[str, set[str]] = {}
    for function in _functions(model, every=False):
        for statement in function.body:
            for name, value in _assigned(statement):
                if name in _read(value) and not _is_fallback(value, name):
                    found.setdefault(name, set()).update(_called(value))
    return found


@cache
def assigned_by_save(model: type[Model]) -> dict[str, set[str]]:
    """The fields that ``save()`` may give another value, with the functions it does it with.

    What it fills in where nothing was given is left out.
    """
    found: dict[str, set[str]] = {}
    for function in _functions(model):
        for name, value in _anywhere(function.body, frozenset()):
            if not _is_fallback(value, name):
                found.setdefault(name, set()).update(_called(value))
    return found


@cache
def filled_by_save(model: type[Model]) -> frozenset[str]:
    """The fields that ``save()`` gives a value on some way, be it only where there is none."""
    functions = list(_functions(model))
    return frozenset(
        name for one in functions for name, _ in _anywhere(one.body, frozenset(), every=True)
    )


def is_changed_on_the_way(kind: type) -> bool:
    """Whether a field's own class puts another value in place when it is saved."""
    change: Any = inspect.getattr_static(kind, "pre_save", None)
    is_djangos = getattr(change, "__module__", "django.").startswith("django.")
    return not (is_djangos or _passes_on(change))


@cache
def _passes_on(function: Any) -> bool:
    """Whether a field's ``pre_save()`` returns the value that it finds."""
    node = _source(function)
    is_plain = node is not None and not any(isinstance(one, ast.BinOp) for one in ast.walk(node))
    return is_plain and _called(node) <= _PASSING


def _functions(model: type[Model], *, every: bool = True) -> Iterator[Any]:
    """``save()`` of the model and its bases, and the methods of its own that it calls.

    Unless every one, those that it calls whatever the row holds.
    """
    saves = list(_own(model, "save"))
    parts = saves if every else [part for one in saves for part in _always(one.body)]
    called = {name for one in parts for name in _called_on_self(one)}
    called |= {"clean"} if called & _CLEANS else set()
    yield from saves
    for name in sorted(called - {"save", "full_clean"}):
        yield from _own(model, name)


def _always(block: list[Any]) -> Iterator[ast.AST]:
    for statement in block:
        if isinstance(statement, ast.With | ast.Try):
            yield from _always(statement.body)
        elif isinstance(statement, ast.If):
            yield statement.test
        elif not hasattr(statement, "body"):
            yield statement


def _own(model: type[Model], name: str) -> Iterator[Any]:
    for kind in model.__mro__:
        function = vars(kind).get(name)
        if inspect.isfunction(function) and not function.__module__.startswith("django."):
            node = _source(function)
            if node is not None:
                yield node


def _source(function: Any) -> Any:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None


def _anywhere(
    block: list[Any], asked: frozenset[str], *, every: bool = False
) -> Iterator[tuple[str, ast.AST]]:
    """The assignments to ``self.name``; unless every one, not those that ask for the name first."""
    for statement in block:
        for name, value in _assigned(statement):
            if every or name not in asked:
                yield name, value
        inner = asked | _read(statement.test) if isinstance(statement, ast.If) else asked
        for part in ("body", "orelse", "finalbody"):
            yield from _anywhere(getattr(statement, part, []), inner, every=every)


def _assigned(statement: Any) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if name := _own_name(target):
                yield name, statement.value


def _is_fallback(value: Any, name: str) -> bool:
    """``self.slug = self.slug or …``"""
    is_or = isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or)
    return is_or and _own_name(value.values[0]) == name


def _read(node: ast.AST) -> set[str]:
    return {_own_name(one) for one in ast.walk(node)} - {""}


def _called(node: ast.AST) -> set[str]:
    """The names of the functions and methods that are called."""
    functions = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    names = {
        one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in functions
    }
    return names - {""}


def _called_on_self(node: ast.AST) -> set[str]:
    return {_own_name(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)} - {""}


def _own_name(node: Any) -> str:
    """The name in ``self.name``; empty for anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "self" else ""
    return ""
