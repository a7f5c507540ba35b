"""Weaker forms: code that means something to be unique, of which the database knows nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .arguments import Arguments
from .findings import Note
from .judging import shown_fields
from .spelling import last_name
from .things import Rows
from .values import Given, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Place

_BULK = {"bulk_create", "abulk_create"}
_EXISTS = {"exists", "aexists"}
_VALIDATORS = {"UniqueValidator", "UniqueTogetherValidator"}
NAMES = _BULK | _EXISTS | _VALIDATORS
"""The names of the calls that a weaker form may be."""
_CHECKS = ("clean", "validate", "_clean", "_validate")


def notes_in(place: Place) -> Iterator[Note]:
    """What only checks before it saves, or ignores conflicts that cannot be."""
    for node in place.module.of_kinds(ast.Call):
        name = last_name(node)
        if name in _BULK:
            yield from _ignored_conflicts(node, place)
        elif name in _EXISTS:
            yield from _checked(node, place)
        elif name in _VALIDATORS:
            yield from _validated(node, name, place)


def _ignored_conflicts(node: Any, place: Place) -> Iterator[Note]:
    """``bulk_create(…, ignore_conflicts=True)`` where nothing can be in conflict."""
    if not any(one.arg == "ignore_conflicts" and _is_true(one.value) for one in node.keywords):
        return
    for rows in _rows(node.func.value, place):
        rules = place.judge.known_rules(rows)
        if rules and all(one.is_primary_key for one in rules):
            label = rows.model._meta.label
            text = f"ignore_conflicts ignores nothing: only the primary key of {label} is unique"
            yield _note(node, text, place)


def _checked(node: Any, place: Place) -> Iterator[Note]:
    """``if ….filter(…).exists(): raise ValidationError`` in ``clean()`` or ``validate()``."""
    function = place.module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
    branch = place.module.enclosing(node, ast.If)
    if function is None or branch is None or not function.name.startswith(_CHECKS):
        return
    if not any(isinstance(one, ast.Raise) for one in branch.body):
        return
    for rows in _rows(node.func.value, place):
        asked = {**dict(rows.lookups), **dict(rows.filters)}
        # what else it asks for may be what a constraint keeps unique in another spelling
        if not any("__" in name for name in asked):
            given = Arguments(lookups=asked)
            yield from _unless_unique(node, rows, given, "a check before saving", place)


def _validated(node: Any, name: str, place: Place) -> Iterator[Note]:
    """A serializer's validator of uniqueness."""
    options = {one.arg: one.value for one in node.keywords}
    for rows in _rows(options.get("queryset"), place):
        names = _names(options.get("fields"))
        if names:
            given = Arguments(lookups={one: Given(text=one) for one in names})
            yield from _unless_unique(node, rows, given, name, place)


def _unless_unique(
    node: Any, rows: Rows, given: Arguments, what: str, place: Place
) -> Iterator[Note]:
    if not given.lookups:
        return
    plain = Rows(model=rows.model, kind=rows.kind, using=rows.using)
    if place.judge.decide(plain, given, "get_or_create").verdict is Verdict.UNSAFE:
        fields = ", ".join(shown_fields(plain, given))
        label = rows.model._meta.label
        text = f"{what} is no constraint: {label} by {fields} is not unique in the database"
        yield _note(node, text, place)


def _rows(node: Any, place: Place) -> list[Rows]:
    found = place.resolver.resolve(node, place.module) if node is not None else ()
    return [one for one in found if isinstance(one, Rows)]


def _names(node: Any) -> list[str]:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    values = [one.value for one in parts if isinstance(one, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def _is_true(node: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _note(node: Any, text: str, place: Place) -> Note:
    return Note(path=place.file.shown, line=node.lineno, text=text, kind=place.file.kind)
