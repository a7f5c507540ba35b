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


def passed_on(
    own: Any, rows: Rows, given: Arguments, place: Place
) -> tuple[Rows, Arguments] | None:
    """The rows and arguments that Django's method gets in the end; None where that is not told.

    The method has to take ``**kwargs`` and to return one such call, which is given all of them.
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
    if added.unknown or added.defaults:
        return None
    return inner, replace(given, lookups={**added.lookups, **given.lookups})


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
    """The call in ``return ….get_or_create(…, **kwargs)``, all that the function does."""
    body = [one for one in function.body if not _is_docstring(one)]
    rest = function.args.kwarg.arg if function.args.kwarg else ""
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    is_creation = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    if not is_creation or call.func.attr not in _METHODS:  # type: ignore[union-attr]  # is_creation saw it
        return None
    passed = [ast.unparse(one.value) for one in call.keywords if one.arg is None]  # type: ignore[union-attr]  # is_creation saw it
    return call if passed == [rest] and not function.args.args[1:] else None


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


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
