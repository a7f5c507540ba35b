"""Values that are known as they stand in the source, or in the running project."""

from __future__ import annotations

import ast
from enum import Enum
from inspect import ismodule
from typing import TYPE_CHECKING, Any

from .reaching import reaching
from .things import Defined, ModelClass, Object
from .values import UNSET

if TYPE_CHECKING:
    from .modules import Binding, Module
    from .resolve import Resolver

_CONSTANTS = (str, int, float, bool, bytes, type(None))
_DEEPEST = 4


def literal(node: Any, module: Module, resolver: Resolver, depth: int = 0) -> Any:
    """The value itself; `UNSET` where more than one value, or none that is known, gets there."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = literal(node.operand, module, resolver, depth)
        return -inner if isinstance(inner, int | float) else UNSET
    if isinstance(node, ast.Tuple | ast.List):
        parts = [literal(one, module, resolver, depth) for one in node.elts]
        return UNSET if UNSET in parts else tuple(parts)
    if isinstance(node, ast.Name) and depth < _DEEPEST:
        return _named(node, module, resolver, depth)
    return _attribute(node, module, resolver) if isinstance(node, ast.Attribute) else UNSET


def _named(node: ast.Name, module: Module, resolver: Resolver, depth: int) -> Any:
    if module.comprehended(node) is not None:
        return UNSET
    for scope in module.scopes(node):
        bound = module.bindings(scope).get(node.id)
        if not bound:
            continue
        if isinstance(scope, ast.Module):
            is_constant = len(bound) == 1 and node.id not in module.changed_globals
            return _constant(node, module, resolver) if is_constant else UNSET
        values = [
            _bound(one, module, resolver, depth) for one in reaching(bound, node, module, scope)
        ]
        is_same = all(one is not UNSET and one == values[0] for one in values)
        return values[0] if is_same else UNSET
    return UNSET


def _bound(binding: Binding, module: Module, resolver: Resolver, depth: int) -> Any:
    if binding.path:
        return UNSET
    if binding.kind == "value":
        return literal(binding.node, module, resolver, depth + 1)
    if binding.kind == "annotated" and binding.node.value is not None:
        return literal(binding.node.value, module, resolver, depth + 1)
    return UNSET


def _attribute(node: ast.Attribute, module: Module, resolver: Resolver) -> Any:
    """``Status.ACTIVE``, ``settings.SITE_ID``, ``self.KIND``; an instance's other names change."""
    owners = resolver.resolve(node.value, module)
    if owners and (node.attr.isupper() or all(map(_holds_constants, owners))):
        return _constant(node, module, resolver)
    return UNSET


def _holds_constants(thing: Any) -> bool:
    if isinstance(thing, Object):
        value = thing.value
        return isinstance(value, type | Enum) or ismodule(value) or _is_settings(value)
    if isinstance(thing, Defined) and isinstance(thing.node, ast.Module):
        return True
    return isinstance(thing, ModelClass)


def _is_settings(value: Any) -> bool:
    from django.conf import settings

    return value is settings


def _constant(node: Any, module: Module, resolver: Resolver) -> Any:
    found = resolver.resolve(node, module)
    if len(found) != 1 or not isinstance(found[0], Object):
        return UNSET
    value = found[0].value
    value = value.value if isinstance(value, Enum) else value
    return value if isinstance(value, _CONSTANTS) else UNSET
