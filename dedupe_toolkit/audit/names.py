"""What names stand for: bindings, imports and re-exports, followed."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from .reaching import reaching
from .things import Group, Object, Rows, Things, Unknown, is_none, unknown
from .wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .modules import Binding, Module
    from .resolve import Resolver


def named(resolver: Resolver, name: str, node: ast.AST, module: Module) -> Things:
    """What a name stands for where it is used."""
    if isinstance(node, ast.Name) and (bound_here := module.comprehended(node)):
        return bound_to(resolver, [bound_here], module)
    for scope in module.scopes(node):
        if isinstance(scope, ast.Module):
            return global_name(resolver, name, module, node)
        bound = module.bindings(scope).get(name)
        if bound:
            return bound_to(resolver, reaching(bound, node, module, scope), module)
    return global_name(resolver, name, module, node)


def global_name(
    resolver: Resolver, name: str, module: Module, node: ast.AST | None = None
) -> Things:
    """What a module has under a name, imports and re-exports followed."""
    if module.loaded is not None and name in vars(module.loaded):
        return wrapped(vars(module.loaded)[name])
    bound = module.bindings(module.tree).get(name)
    if bound:
        return bound_to(resolver, bound, module)
    for star in module.bindings(module.tree).get("*", []):
        found = bound_to(resolver, [star], module, name)
        if not all(isinstance(one, Unknown) for one in found):
            return found
    if hasattr(builtins, name):
        return (Object(value=getattr(builtins, name)),)
    return unknown(f"{name} is not defined in {module.name}")


def imported(resolver: Resolver, module_name: str, name: str) -> Things:
    """What ``from module_name import name`` gives."""
    module = resolver.library.module(module_name)
    if module is not None:
        found = global_name(resolver, name, module)
        if not all(isinstance(one, Unknown) for one in found):
            return found
    loaded = resolver.library.loaded(module_name)
    if loaded is not None and name in vars(loaded):
        return wrapped(vars(loaded)[name])
    submodule = resolver.library.as_thing(f"{module_name}.{name}")
    return submodule or unknown(f"{module_name}.{name} is not loaded")


def bound_to(
    resolver: Resolver, bindings: Iterable[Binding], module: Module, name: str = ""
) -> Things:
    found = [one for binding in bindings for one in _binding(resolver, binding, module, name)]
    known = [one for one in found if not is_none(one)]
    return tuple(dict.fromkeys(known or found))


def _binding(resolver: Resolver, binding: Binding, module: Module, name: str = "") -> Things:
    if binding.kind == "import":
        return _import(resolver, binding, module, name)
    if binding.kind == "definition":
        return resolver.definition(binding.node, module)
    if binding.kind == "parameter":
        return resolver.parameter(binding, module)
    if binding.kind == "annotated":
        return resolver.annotated(binding.node, module)
    if binding.kind == "matched":
        return _matched(resolver, binding.node, module)
    if binding.kind in ("rest", "changed"):
        return unknown("it is put together at run time")
    things = resolver.resolve(binding.node, module)
    if binding.kind == "item":
        things = _items(resolver, binding, things, module)
    for index in binding.path:
        things = resolver.members(things, index)
    return things


def _matched(resolver: Resolver, node: ast.AST, module: Module) -> Things:
    """``case Author() as author`` says what it is."""
    pattern = node.pattern if isinstance(node, ast.MatchAs) else None
    if isinstance(pattern, ast.MatchClass):
        return resolver.annotation(pattern.cls, module) or unknown("it is what was matched")
    return unknown("it is what was matched or caught")


def _items(resolver: Resolver, binding: Binding, things: Things, module: Module) -> Things:
    """What a loop runs over; ``enumerate`` and ``zip`` put it into tuples."""
    iterated = binding.node
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name):
        parts = [resolver.members(resolver.resolve(one, module)) for one in iterated.args]
        if iterated.func.id == "enumerate" and parts:
            return (Group(members=(unknown("a number"), parts[0])),)
        if iterated.func.id == "zip":
            return (Group(members=tuple(parts)),)
        if iterated.func.id in ("list", "tuple", "set", "sorted", "reversed", "iter") and parts:
            return parts[0]
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute):
        inner = resolver.resolve(iterated.func.value, module)
        if iterated.func.attr == "items" and not any(isinstance(o, Rows) for o in inner):
            return (Group(members=(unknown("a key"), resolver.members(inner))),)
        if iterated.func.attr == "values" and not any(isinstance(o, Rows) for o in inner):
            return resolver.members(inner)
    return resolver.members(things)


def _import(resolver: Resolver, binding: Binding, module: Module, name: str) -> Things:
    statement, alias = binding.node
    if isinstance(statement, ast.Import):
        target = alias.name if alias.asname else alias.name.split(".")[0]
        return resolver.library.as_thing(target) or unknown(f"{target} is not loaded")
    origin = resolver.library.absolute(statement, module)
    wanted = name or alias.name
    if origin == module.name:
        return unknown(f"{wanted} is not loaded")
    if alias.name == "get_user_model":
        from django.contrib.auth import get_user_model

        return (Object(value=get_user_model),)
    return imported(resolver, origin, wanted)
