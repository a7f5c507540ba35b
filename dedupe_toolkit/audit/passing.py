"""A project's own ``get_or_create`` that adds something and passes the rest on to Django's."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .arguments import Arguments, arguments
from .calling import own_creation
from .spelling import last_name
from .things import Defined, Rows

if TYPE_CHECKING:
    from .calls import Place

_METHODS = {"get_or_create", "update_or_create"}
_LOOKS = {"get", "first", "exists"}
_CREATIONS = {"create", "add_root"}
_PERHAPS = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.ListComp, ast.GeneratorExp)
"""Expressions of which a part may not be evaluated, or only later."""


def passed_on(
    own: Any, rows: Rows, given: Arguments, place: Place
) -> tuple[Rows, Arguments] | None:
    """The rows and arguments that Django's method gets in the end; None where that is not told.

    The method has to take ``**kwargs`` and to make one such call, always, which is given all of
    them as they came; what it makes of ``defaults`` is open.
    """
    found = place.resolver.in_project(own)
    if found is None or given.unknown or not isinstance(found.node, ast.FunctionDef):
        return None
    call = _only_call(found.node)
    if call is None:
        return None
    inner = _rows(call, found, rows, place)
    if inner is None or own_creation(inner, call.func.attr) is not None:
        return None
    added = arguments(_without_rest(call), found.module, place.resolver, updates=False)
    if added.unknown or (added.defaults and not _takes_defaults(found.node)):
        return None
    defaults = None if _takes_defaults(found.node) else given.defaults
    return inner, replace(given, lookups={**added.lookups, **given.lookups}, defaults=defaults)


def looks_and_creates(own: Any, given: Arguments, place: Place) -> bool:
    """Whether the method looks for a row and creates it by hand, with nothing that locks."""
    found = place.resolver.in_project(own)
    if found is None or given.unknown or not isinstance(found.node, ast.FunctionDef):
        return False
    called = {last_name(one) for one in ast.walk(found.node) if isinstance(one, ast.Call)}
    is_locked = any("lock" in name or name == "select_for_update" for name in called)
    is_by_hand = bool(called & _LOOKS) and bool(called & _CREATIONS)
    return is_by_hand and not is_locked and found.node.args.kwarg is not None


def _only_call(function: ast.FunctionDef) -> Any:
    """The one call ``….get_or_create(…, **kwargs)``, which nothing in the function runs past."""
    rest = function.args.kwarg.arg if function.args.kwarg else ""
    nodes = [one for statement in function.body for one in ast.walk(statement)]
    called = [one for one in nodes if isinstance(one, ast.Call)]
    calls = [one for one in called if last_name(one) in _METHODS]
    taken = [one for one in nodes if isinstance(one, ast.Name) and one.id == rest]
    if len(calls) != 1 or _own_arguments(function) or _CREATIONS & set(map(last_name, called)):
        return None
    passed = [one.value for one in calls[0].keywords if one.arg is None]
    is_passed = passed == taken and isinstance(calls[0].func, ast.Attribute)
    return calls[0] if is_passed and _always_runs(calls[0], function) else None


def _own_arguments(function: ast.FunctionDef) -> set[str]:
    """The arguments that it does not find in its ``**kwargs``, but for ``defaults``."""
    given = function.args
    positional = [*given.posonlyargs, *given.args][1:]
    return {one.arg for one in (*positional, *given.kwonlyargs)} - {"defaults"}


def _takes_defaults(function: ast.FunctionDef) -> bool:
    return bool(function.args.args[1:] or function.args.kwonlyargs)


def _always_runs(call: ast.Call, function: ast.FunctionDef) -> bool:
    """Whether it stands in a statement of the function itself, and nothing returns before it."""
    for statement in function.body:
        nodes = list(ast.walk(statement))
        if call in nodes:
            is_sure = not any(isinstance(n, _PERHAPS) and call in ast.walk(n) for n in nodes)
            return is_sure and isinstance(statement, ast.Return | ast.Assign | ast.Expr)
        if any(isinstance(one, ast.Return) for one in nodes):
            return False
    return False


def _without_rest(call: ast.Call) -> ast.Call:
    keywords = [one for one in call.keywords if one.arg is not None]
    return ast.Call(func=call.func, args=call.args, keywords=keywords)


def _rows(call: Any, found: Defined, rows: Rows, place: Place) -> Rows | None:
    function: Any = found.node
    things = place.resolver.resolve_as(call.func.value, found.module, function, rows)
    is_one = len(things) == 1 and isinstance(things[0], Rows)
    if not is_one:
        return None
    inner: Any = things[0]
    is_super = isinstance(call.func.value, ast.Call) and _is_super(call.func.value)
    # super() has the same rows, the manager's own conditions among them
    return replace(rows, kind=inner.kind) if is_super else inner


def _is_super(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "super"
