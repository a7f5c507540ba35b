"""Whether what a loop runs over may be None."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING, Any

from .nulls import worst
from .spelling import last_name
from .things import Instance, Many, Object, Rows
from .values import Null

if TYPE_CHECKING:
    from .filled import Filled
    from .modules import Binding

_SAME = {"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"}
"""Functions that return what is in what they are given."""
_MOST = 500
Path = tuple[int, ...]


def null_of_item(binding: Binding, filled: Filled) -> Null:
    """Whether a loop's variable may be None."""
    return _within(binding.node, binding.path, filled)


def _within(node: Any, path: Path, filled: Filled) -> Null:
    """Of the members of a collection; at a place in each where they are unpacked."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return worst(_at(one, path, filled) for one in node.elts)
    if isinstance(node, ast.Dict):
        return worst(filled.null(one) for one in node.keys) if not path else Null.MAYBE
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
        return _at(node.elt, path, filled)
    if isinstance(node, ast.Call):
        found = _of_call(node, path, filled)
        if found is not None:
            return found
    if isinstance(node, ast.Name) and (value := _only_value(node, filled)) is not None:
        return _within(value, path, filled)
    return _of_things(node, path, filled)


def _at(node: Any, path: Path, filled: Filled) -> Null:
    if not path:
        return filled.null(node)
    if isinstance(node, ast.List | ast.Tuple) and path[0] < len(node.elts):
        return _at(node.elts[path[0]], path[1:], filled)
    return Null.MAYBE


def _of_call(node: ast.Call, path: Path, filled: Filled) -> Null | None:
    name = last_name(node)
    if isinstance(node.func, ast.Attribute):
        if name in ("split", "rsplit", "splitlines") and not path:
            return Null.NEVER
        if name in ("items", "keys", "values") and isinstance(node.func.value, ast.Name | ast.Dict):
            return _of_dictionary(node.func.value, name, path, filled)
        return None
    if name == "range":
        return Null.NEVER
    if name == "enumerate" and path and node.args:
        return Null.NEVER if path == (0,) else _within(node.args[0], path[1:], filled)
    if name == "zip" and path and path[0] < len(node.args):
        return _within(node.args[path[0]], path[1:], filled)
    return _within(node.args[0], path, filled) if name in _SAME and node.args else None


def _of_dictionary(node: Any, name: str, path: Path, filled: Filled) -> Null:
    written = _only_value(node, filled) if isinstance(node, ast.Name) else node
    if not isinstance(written, ast.Dict):
        return Null.MAYBE
    if name == "items" and not path:
        return Null.NEVER
    is_key = name == "keys" or path[:1] == (0,)
    nodes = written.keys if is_key else written.values
    return worst(_at(one, path[1:] if name == "items" else path, filled) for one in nodes)


def _only_value(node: ast.Name, filled: Filled) -> Any:
    """The one value that a name ever has, unless it is one that is added to."""
    for scope in filled.module.scopes(node):
        bound = filled.module.bindings(scope).get(node.id)
        if bound:
            is_one = len(bound) == 1 and bound[0].kind == "value" and not bound[0].path
            value = bound[0].node if is_one else None
            is_constant = isinstance(scope, ast.Module) and node.id.isupper()
            return value if isinstance(value, ast.Tuple) or is_constant else None
    return None


def _of_things(node: Any, path: Path, filled: Filled) -> Null:
    """By what the project, or a declaration, says the collection is."""
    found = filled.resolver.resolve(node, filled.module)
    if len(found) != 1:
        return Null.MAYBE
    thing = found[0]
    if isinstance(thing, Rows):
        return Null.NEVER if not path else Null.MAYBE
    if isinstance(thing, Many):
        is_rows = all(isinstance(one, Instance) for one in thing.member)
        return Null.PROMISED if is_rows and not path else Null.MAYBE
    if isinstance(thing, Object):
        return _of_value(thing.value, path)
    return Null.MAYBE


def _of_value(value: Any, path: Path) -> Null:
    if isinstance(value, type):
        return Null.NEVER if issubclass(value, Enum) else Null.MAYBE
    if not isinstance(value, list | tuple | set | frozenset | dict) or len(value) > _MOST:
        return Null.MAYBE
    try:
        for place in path:
            value = [one[place] for one in value]
    except (TypeError, IndexError, KeyError):
        return Null.MAYBE
    return Null.NEVER if all(one is not None for one in value) else Null.MAYBE
