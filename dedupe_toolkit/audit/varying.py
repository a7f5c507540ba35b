"""Values that are other ones on every call: the time, a random number, a new UUID."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .reaching import reaching
from .things import Defined

if TYPE_CHECKING:
    from .modules import Module
    from .resolve import Resolver

_VARYING = {
    *("now", "utcnow", "uuid4", "uuid1", "uuid7", "random", "randint", "choice", "token_hex"),
    *("token_urlsafe", "get_random_string", "time", "time_ns", "randrange", "urandom"),
}
_VARYING_OWNERS = {"timezone", "datetime", "dt", "uuid", "random", "secrets", "time", "tz", "os"}
_KEPT = {"isoformat", "timestamp", "hex", "int", "bytes"}
_DEEPEST = 3


def varies(node: Any, module: Module, resolver: Resolver, depth: int = 0) -> bool:
    """Whether a value certainly is another one each time it is asked for."""
    if isinstance(node, ast.Call):
        return _is_varying_call(node, module, resolver, depth)
    if isinstance(node, ast.BinOp):
        return any(varies(one, module, resolver, depth) for one in (node.left, node.right))
    if isinstance(node, ast.JoinedStr):
        return any(varies(one, module, resolver, depth) for one in node.values)
    if isinstance(node, ast.FormattedValue):
        return varies(node.value, module, resolver, depth)
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Slice) and varies(node.value, module, resolver, depth)
    if isinstance(node, ast.Attribute):
        return node.attr in _KEPT and varies(node.value, module, resolver, depth)
    if isinstance(node, ast.Name) and depth < _DEEPEST:
        return _is_varying_name(node, module, resolver, depth)
    return False


def _is_varying_call(node: ast.Call, module: Module, resolver: Resolver, depth: int) -> bool:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in ("str", "int", "float") and node.args:
            return varies(node.args[0], module, resolver, depth)
        named = function.id in _VARYING - {"time", "choice", "random"}
        return named or _returns_varying(node, module, resolver, depth)
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value).split(".")[-1]
    if function.attr in _VARYING and owner in _VARYING_OWNERS:
        return True
    return function.attr in _KEPT and varies(function.value, module, resolver, depth)


def _returns_varying(node: ast.Call, module: Module, resolver: Resolver, depth: int) -> bool:
    """Whether it calls a function of the project all of whose values vary."""
    if depth >= _DEEPEST:
        return False
    found = resolver.resolve(node.func, module)
    if len(found) != 1 or not isinstance(found[0], Defined):
        return False
    one = found[0]
    if not isinstance(one.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    values = resolver.library.returns(one.node)
    return bool(values) and all(varies(v, one.module, resolver, depth + 1) for v in values)


def _is_varying_name(node: ast.Name, module: Module, resolver: Resolver, depth: int) -> bool:
    for scope in module.scopes(node):
        if isinstance(scope, ast.Module):
            return False
        bound = module.bindings(scope).get(node.id)
        if bound:
            return all(
                one.kind == "value"
                and not one.path
                and varies(one.node, module, resolver, depth + 1)
                for one in reaching(bound, node, module, scope)
            )
    return False
