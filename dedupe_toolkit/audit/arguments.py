"""The arguments of a call, followed to dictionaries that are put together before it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .given import Givens
from .values import Given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .modules import Module
    from .resolve import Resolver

Values = dict[str, Given]
Nodes = dict[str, Any]
"""Expressions by the names of the arguments or keys that they are for."""
_OPTIONS = ("defaults", "create_defaults", "through_defaults")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The keyword arguments that look up, and the defaults; ``unknown`` is what is not known."""

    lookups: Values = field(default_factory=dict)
    defaults: Values | None = field(default_factory=dict)
    unknown: str = ""


def arguments(node: ast.Call, module: Module, resolver: Resolver, *, updates: bool) -> Arguments:
    """What a call of ``get_or_create`` or ``update_or_create`` is given."""
    givens = Givens(resolver, module)
    pairs: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is not None:
            pairs[keyword.arg] = keyword.value
            continue
        inner = dictionary(keyword.value, module, resolver)
        if inner is None:
            return Arguments(unknown=f"**{ast.unparse(keyword.value)}", defaults=None)
        pairs.update(inner)
    if node.args and isinstance(node.args[0], ast.Starred):
        return Arguments(unknown=ast.unparse(node.args[0]), defaults=None)
    if node.args:
        pairs["defaults"] = node.args[0]
    if len(node.args) > 1 and updates:
        pairs["create_defaults"] = node.args[1]
    lookups = {name: givens.of(one) for name, one in pairs.items() if name not in _OPTIONS}
    return Arguments(lookups=lookups, defaults=_defaults(pairs, module, givens, updates))


def _defaults(
    pairs: dict[str, Any], module: Module, givens: Givens, updates: bool
) -> Values | None:
    given = pairs.get("defaults")
    if updates and not _is_nothing(pairs.get("create_defaults")):
        given = pairs["create_defaults"]
    if _is_nothing(given):
        return {}
    inner = dictionary(given, module, givens.resolver)
    return None if inner is None else {name: givens.of(one) for name, one in inner.items()}


def _is_nothing(node: Any) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def dictionary(node: Any, module: Module, resolver: Resolver, depth: int = 0) -> Nodes | None:
    """The keys and values of a dictionary in source; None where they are not all there to read."""
    if depth > 4:
        return None
    if isinstance(node, ast.Dict):
        return _literal(node, module, resolver, depth)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
        return _called(node, module, resolver, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _joined([node.left, node.right], module, resolver, depth)
    return _named(node, module, resolver, depth) if isinstance(node, ast.Name) else None


def _literal(node: ast.Dict, module: Module, resolver: Resolver, depth: int) -> Nodes | None:
    found: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            inner = dictionary(value, module, resolver, depth + 1)
            if inner is None:
                return None
            found.update(inner)
            continue
        name = Givens(resolver, module).of(key).literal
        if not isinstance(name, str):
            return None
        found[name] = value
    return found


def _called(node: ast.Call, module: Module, resolver: Resolver, depth: int) -> Nodes | None:
    found = _joined(node.args, module, resolver, depth)
    for keyword in node.keywords:
        if found is None:
            return None
        if keyword.arg is None:
            inner = dictionary(keyword.value, module, resolver, depth + 1)
            found = None if inner is None else {**found, **inner}
        else:
            found[keyword.arg] = keyword.value
    return found


def _joined(nodes: list[Any], module: Module, resolver: Resolver, depth: int) -> Nodes | None:
    found: dict[str, Any] = {}
    for node in nodes:
        inner = dictionary(node, module, resolver, depth + 1)
        if inner is None:
            return None
        found.update(inner)
    return found


def _named(node: ast.Name, module: Module, resolver: Resolver, depth: int) -> Nodes | None:
    """A variable that holds a dictionary, with the keys that are put into it one by one."""
    for scope in module.scopes(node):
        bound = module.bindings(scope).get(node.id)
        if not bound:
            continue
        if len(bound) != 1 or bound[0].kind not in ("value", "annotated") or bound[0].path:
            return None
        value = bound[0].node.value if bound[0].kind == "annotated" else bound[0].node
        found = dictionary(value, module, resolver, depth + 1)
        if found is None:
            return None
        for key, value in _changes(scope, node, bound[0].at, module):
            if key is None:
                return None
            found[key] = value
        return found
    return None


def _changes(
    scope: Any, name: ast.Name, made: ast.AST, module: Module
) -> Iterator[tuple[str | None, Any]]:
    """The keys set on a variable before its use; None for a change that cannot be followed."""
    block = module.parent(made)
    for node in ast.walk(scope):
        if getattr(node, "lineno", 0) > name.lineno:
            continue
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if _is_item_of(target, name.id):
                    key: Any = target.slice  # type: ignore[attr-defined]  # _is_item_of saw a Subscript
                    is_plain = isinstance(key, ast.Constant) and isinstance(key.value, str)
                    always = module.parent(node) is block
                    yield (key.value if is_plain and always else None), node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            changes = node.func.attr in ("update", "pop", "setdefault", "clear", "popitem")
            if changes and isinstance(owner, ast.Name) and owner.id == name.id:
                yield None, node
        elif isinstance(node, ast.Delete) and any(_is_item_of(t, name.id) for t in node.targets):
            yield None, node


def _is_item_of(node: Any, name: str) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    )
