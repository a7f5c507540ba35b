"""Whether what a call returns may be None."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from .nulls import is_promised, worst
from .spelling import last_name
from .things import Defined, ModelClass, Object, Rows
from .values import Null
from .varying import varies

if TYPE_CHECKING:
    from .filled import Filled
    from .things import Thing

_TEXT_METHODS = {
    *("lower", "upper", "strip", "title", "casefold", "format", "replace", "join", "lstrip"),
    *("rstrip", "capitalize", "encode", "decode", "strftime", "isoformat", "hexdigest", "zfill"),
    *("date", "time", "split", "timestamp", "removeprefix", "removesuffix", "total_seconds"),
}
"""Methods of texts, bytes and times, which return something always."""
_MAKERS = {
    *("len", "round", "abs", "sum", "repr", "hash", "sorted", "format", "slugify", "force_str"),
    *("smart_str", "quote", "urlencode", "urljoin", "reverse", "hex", "ord", "chr", "id"),
}
"""Functions of Python and Django that return something always."""
_ONE_ROW = {
    *("get", "create", "latest", "earliest", "aget", "acreate", "alatest", "aearliest"),
    *("create_user", "create_superuser", "get_for_model", "get_for_id", "get_current"),
    *("get_by_natural_key", "count", "exists", "acount", "aexists"),
}
"""What a manager answers with a value, or else raises."""
_GETTERS = {"get_object_or_404", "aget_object_or_404"}
_END = (ast.Return, ast.Raise)


def null_of_call(node: ast.Call, filled: Filled) -> Null:
    """Whether a call returns None: by the class or function called, or by what its name says."""
    name = last_name(node)
    if name in _GETTERS:
        return Null.NEVER
    if isinstance(node.func, ast.Attribute) and name in _ONE_ROW:
        owners = filled.resolver.resolve(node.func.value, filled.module)
        if owners and all(isinstance(one, Rows) for one in owners):
            return Null.NEVER
    found = filled.resolver.resolve(node.func, filled.module)
    if found and all(_is_class(one) for one in found):
        return Null.NEVER
    if len(found) == 1 and (own := _function(found[0], filled)):
        return _of_own(own, filled)
    is_text = isinstance(node.func, ast.Attribute) and name in _TEXT_METHODS
    is_made = isinstance(node.func, ast.Name) and name in _MAKERS
    is_known = is_text or is_made or varies(node, filled.module, filled.resolver)
    return Null.NEVER if is_known else Null.MAYBE


def _is_class(thing: Thing) -> bool:
    if isinstance(thing, ModelClass):
        return True
    if isinstance(thing, Object):
        return inspect.isclass(thing.value)
    return isinstance(thing, Defined) and isinstance(thing.node, ast.ClassDef)


def _function(thing: Thing, filled: Filled) -> Defined | None:
    """The function in source that is called, if it is one of the project's own."""
    if isinstance(thing, Defined) and isinstance(thing.node, ast.FunctionDef):
        return thing
    if isinstance(thing, Object) and inspect.isfunction(thing.value):
        found = filled.resolver.in_project(thing.value)
        return found if found and isinstance(found.node, ast.FunctionDef) else None
    return None


def _of_own(function: Defined, filled: Filled) -> Null:
    """By its ``return`` statements, if it cannot end without one; else by what it promises."""
    node: Any = function.node
    if not node.decorator_list and _ends(node.body):
        inside = filled.inside(function.module)
        found = worst(map(inside.null, filled.resolver.library.returns(node)))
        if found is not Null.MAYBE:
            return found
    return Null.PROMISED if is_promised(node.returns) else Null.MAYBE


def _ends(block: list[Any]) -> bool:
    """Whether no way leads out of a block but by ``return`` or ``raise``."""
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.With | ast.AsyncWith):
        # one that swallows an exception is rare, and says so by its name
        return _ends(last.body) and "suppress" not in ast.unparse(last.items[0])
    if isinstance(last, ast.Try):
        ends = _ends(last.orelse or last.body) and all(_ends(one.body) for one in last.handlers)
        return ends or _ends(last.finalbody)
    return isinstance(last, _END)
