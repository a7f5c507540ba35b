"""Finds where a block of source creates a row of a model, and with what."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import FileField

from .arguments import dictionary
from .lookups import fields_of
from .spelling import last_name
from .things import ModelClass, Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model

    from .modules import Module
    from .resolve import Resolver

_CREATES = {"create", "acreate", "create_user", "create_superuser"}
_SAVES = {"save", "asave"}
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, kw_only=True)
class Creation:
    """A row that is created: its model, and its values; None where they are not written out."""

    node: Any
    model: type[Model]
    values: dict[str, Any] | None


def creations(block: Iterable[Any], module: Module, resolver: Resolver) -> Iterator[Creation]:
    """The rows that statements create, nested ones too."""
    for statement in block:
        for node in _nodes(statement):
            if isinstance(node, ast.Call):
                found = _created(node, module, resolver)
                if found is not None:
                    yield found


def may_create(block: Iterable[Any]) -> bool:
    """Whether a call in these statements may create a row, whatever its names stand for."""
    calls = [n for one in block for n in ast.walk(one) if isinstance(n, ast.Call)]
    return any(last_name(one) in _CREATES or _may_be_class(one.func) for one in calls)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _INNER):
            yield from _nodes(child)


def is_caught(node: ast.AST, module: Module) -> bool:
    """Whether the loser of a race is seen to: somebody around catches its ``IntegrityError``."""
    inner = node
    for around in module.ancestors(node):
        if isinstance(around, _INNER):
            return False
        is_tried = isinstance(around, ast.Try) and inner in around.body
        if is_tried and any(_catches_integrity(one) for one in around.handlers):  # type: ignore[attr-defined]  # is_tried saw a Try
            return True
        inner = around
    return False


def _catches_integrity(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or "IntegrityError" in ast.unparse(handler.type)


def _created(node: ast.Call, module: Module, resolver: Resolver) -> Creation | None:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in _CREATES:
        for one in resolver.resolve(function.value, module):
            if isinstance(one, Rows):
                values = _keywords(node, module, resolver)
                if values is not None:
                    values = {**dict.fromkeys(dict(one.lookups)), **values}
                return Creation(node=node, model=one.model, values=values)
        return None
    for one in resolver.resolve(function, module) if _may_be_class(function) else ():
        if isinstance(one, ModelClass) and _is_saved(node, one.model, module):
            return Creation(
                node=node, model=one.model, values=_with_assigned(node, module, resolver)
            )
    return None


def _may_be_class(function: Any) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return bool(name) and (name[0].isupper() or name in ("cls", "model"))


def _keywords(node: ast.Call, module: Module, resolver: Resolver) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = keyword.value
            continue
        inner = dictionary(keyword.value, module, resolver)
        if inner is None:
            return None
        found.update(inner)
    return None if node.args else found


def _is_saved(node: ast.Call, model: type[Model], module: Module) -> bool:
    """``Model(…).save()``, or a variable that is saved further down in its function."""
    parent = module.parent(node)
    if isinstance(parent, ast.Attribute) and parent.attr in _SAVES:
        return True
    name = _variable(node, module)
    return name != "" and any(
        isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and one.func.attr in _SAVES
        and (ast.unparse(one.func.value) == name or _saves_file(one, name, model))
        for one in _after(node, module)
    )


def _saves_file(node: Any, name: str, model: type[Model]) -> bool:
    """``row.file.save(…)``, which saves the row with its file unless it is told not to."""
    file = node.func.value
    is_own = isinstance(file, ast.Attribute) and ast.unparse(file.value) == name
    told = [*node.args[2:], *(one.value for one in node.keywords if one.arg == "save")]
    is_kept_back = any(isinstance(one, ast.Constant) and not one.value for one in told)
    return is_own and not is_kept_back and isinstance(fields_of(model).get(file.attr), FileField)


def _with_assigned(node: ast.Call, module: Module, resolver: Resolver) -> dict[str, Any] | None:
    """The arguments of the model, and the attributes set on it before it is saved."""
    values, name = _keywords(node, module, resolver), _variable(node, module)
    if values is None or not name:
        return values
    for one in _after(node, module):
        if _is_set_at_run_time(one, name):
            return None
        for target in one.targets if isinstance(one, ast.Assign) else ():
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == name:
                values[target.attr] = one.value
    return values


def _is_set_at_run_time(node: Any, name: str) -> bool:
    """``setattr(row, …)``, ``vars(row).update(…)`` and ``row.__dict__.update(…)``."""
    if not isinstance(node, ast.Call):
        return False
    if getattr(node.func, "id", "") == "setattr":
        return bool(node.args) and ast.unparse(node.args[0]) == name
    return ast.unparse(node.func) in (f"vars({name}).update", f"{name}.__dict__.update")


def _variable(node: ast.Call, module: Module) -> str:
    parent = module.parent(node)
    while isinstance(parent, ast.BoolOp | ast.IfExp):
        parent = module.parent(parent)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        return ast.unparse(parent.targets[0])
    return ast.unparse(parent.target) if isinstance(parent, ast.AnnAssign | ast.NamedExpr) else ""


def _after(node: ast.AST, module: Module) -> Iterator[Any]:
    function = module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef) or module.tree
    line = getattr(node, "lineno", 0)
    for one in ast.walk(function):
        if getattr(one, "lineno", 0) >= line:
            yield one
