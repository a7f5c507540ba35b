"""Expressions that say whether there is a row: ``first()``, ``exists()``, ``count()``, …"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reaching import reaching
from .spelling import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .modules import Binding, Module

_GETS = {"get", "aget"}
_GETTERS = {"get_object_or_404", "aget_object_or_404"}
_FORMS = {
    **dict.fromkeys(("first", "last", "afirst", "alast"), "first"),
    **dict.fromkeys(("exists", "aexists"), "exists"),
    **dict.fromkeys(("count", "acount"), "count"),
    **dict.fromkeys(("update", "aupdate"), "update"),
}
BY_HAND = ("try-get", *dict.fromkeys(_FORMS.values()), "filter")
"""The forms in which ``get_or_create`` is written by hand."""
_ROWS = {"filter", "all", "exclude", "order_by", "select_for_update", "only", "distinct", "using"}
_VALUES = {"values", "values_list", "only"}
_SAME = {"len", "bool", "list"}
"""Functions whose value is nothing where what they are given is."""
_ABSENCE = ("DoesNotExist", "Http404", "NotFound")
_ANY = ("Exception", "BaseException")
_DEEPEST = 4


@dataclass(frozen=True, kw_only=True)
class Search:
    """A look for rows: its form, the rows that it looks in, and what ``get()`` asks for beside."""

    form: str
    rows: Any
    keywords: tuple[ast.keyword, ...] = ()


def searched(node: Any, module: Module, depth: int = 0) -> Search | None:
    """The look whose outcome an expression is: nothing, zero or false where there is no row."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Await | ast.NamedExpr):
        return searched(node.value, module, depth + 1)
    if isinstance(node, ast.IfExp):
        return searched(node.body, module, depth + 1) or searched(node.orelse, module, depth + 1)
    if isinstance(node, ast.Name):
        return _named(node, module, depth)
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name):
        is_same = node.func.id in _SAME and len(node.args) == 1
        return searched(node.args[0], module, depth + 1) if is_same else None
    return _called(node, module, depth)


def _called(node: ast.Call, module: Module, depth: int) -> Search | None:
    function, name = node.func, last_name(node)
    if not isinstance(function, ast.Attribute):
        return None
    if name in _ROWS:
        return Search(form="filter", rows=node)
    if name not in _FORMS:
        return None
    # a dictionary has an update() as well
    if _FORMS[name] == "update" and not is_rows(function.value, module, depth):
        return None
    return Search(form=_FORMS[name], rows=_without_values(function.value))


def _without_values(rows: Any) -> Any:
    """The rows themselves, of which ``values()`` takes columns alone."""
    is_values = isinstance(rows, ast.Call) and last_name(rows) in _VALUES
    return rows.func.value if is_values and isinstance(rows.func, ast.Attribute) else rows


def is_rows(node: Any, module: Module, depth: int = 0) -> bool:
    """Whether an expression is a call, or a name for rows, so that it is no dictionary or list."""
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.Call)
    found = searched(node, module, depth + 1)
    return found is not None and found.form == "filter"


def _named(node: ast.Name, module: Module, depth: int) -> Search | None:
    """The look that the name has got its value from, whichever way led to here."""
    for scope in module.scopes(node):
        bound = module.bindings(scope).get(node.id)
        if not bound:
            continue
        if isinstance(scope, ast.Module | ast.ClassDef):
            return None
        found = [one for one in reaching(bound, node, module, scope) if not _is_none(one)]
        last = found[-1] if found else None
        return _of_binding(last, module, depth) if last is not None else None
    return None


def _is_none(binding: Binding) -> bool:
    value = binding.node
    is_value = binding.kind == "value" and isinstance(value, ast.Constant)
    return is_value and value.value is None


def _of_binding(binding: Binding, module: Module, depth: int) -> Search | None:
    if binding.kind != "value" or binding.path:
        return None
    found = searched(binding.node, module, depth + 1)
    if found is None and _is_survived(binding.at, module):
        found = next(gets([binding.node]), None)
    return found


def _is_survived(statement: Any, module: Module) -> bool:
    """Whether a statement that finds no row is followed by what comes after it all the same."""
    inner = statement
    for around in module.ancestors(statement):
        if isinstance(around, ast.Try) and inner in around.body:
            handler = absence_of(around)
            return handler is not None and not leaves(handler.body)
        if isinstance(around, ast.With) and suppresses(around):
            return True
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        inner = around
    return False


def gets(block: list[Any]) -> Iterator[Search]:
    """The calls in statements that raise where there is no row."""
    for statement in block:
        for node in ast.walk(statement):
            rows = _gotten(node) if isinstance(node, ast.Call) else None
            if rows is not None:
                yield Search(form="try-get", rows=rows, keywords=tuple(node.keywords))  # type: ignore[attr-defined]  # a Call


def _gotten(node: ast.Call) -> Any:
    """What ``get()`` looks in; None for the ``get()`` of a dictionary, which has no keywords."""
    name, function = last_name(node), node.func
    if name in _GETTERS and node.args and node.keywords:
        return node.args[0]
    if name in _GETS and isinstance(function, ast.Attribute):
        rows = function.value
        return rows if node.keywords or isinstance(rows, ast.Call) else None
    return None


def absence_of(node: ast.Try) -> ast.ExceptHandler | None:
    """What catches that there is no row: by its name, or because it catches everything."""
    named = [one for one in node.handlers if _names(one, _ABSENCE)]
    every = [one for one in node.handlers if one.type is None or _is_any(one)]
    return next(iter([*named, *every]), None)


def _names(handler: ast.ExceptHandler, words: tuple[str, ...]) -> bool:
    text = ast.unparse(handler.type) if handler.type is not None else ""
    return any(word in text for word in words)


def _is_any(handler: ast.ExceptHandler) -> bool:
    return ast.unparse(handler.type) in _ANY if handler.type is not None else False


def suppresses(node: ast.With | ast.AsyncWith) -> bool:
    """Whether it goes on after ``DoesNotExist``."""
    texts = [ast.unparse(one.context_expr) for one in node.items]
    return any("suppress(" in text and "DoesNotExist" in text for text in texts)


def leaves(block: list[Any]) -> bool:
    """Whether nothing after a block runs once it has."""
    last = block[-1] if block else None
    if isinstance(last, ast.With | ast.AsyncWith):
        return leaves(last.body)
    return isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break)
