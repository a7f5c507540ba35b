"""Functions: what they return, and what their parameters are given."""

from __future__ import annotations

import ast
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .spelling import is_static, last_name
from .things import (
    Defined,
    Instance,
    ModelClass,
    Object,
    Rows,
    Thing,
    Things,
    Unknown,
    class_of,
    is_none,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .modules import Binding, Module
    from .resolve import Resolver


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def with_self(resolver: Resolver, function: Any, receiver: Thing) -> Things:
    """A method of the running project with its ``self``."""
    found = source_of(resolver, function)
    if found is None:
        return (Object(value=function),)
    module, node = found
    return (Defined(module=module, node=node, receiver=receiver),)


def source_of(resolver: Resolver, function: Any) -> tuple[Module, Any] | None:
    """Where a function of the running project stands in source."""
    function = inspect.unwrap(function)
    module = resolver.library.module(getattr(function, "__module__", "") or "")
    if module is None or not hasattr(function, "__qualname__"):
        return None
    node = module.definition(function.__qualname__)
    return (module, node) if isinstance(node, _FUNCTIONS) else None


def returned(resolver: Resolver, thing: Thing, receiver: Thing | None = None) -> Things:
    """What a function returns: by its annotation, or by its ``return`` statements."""
    if isinstance(thing, Object):
        found = source_of(resolver, thing.value) if callable(thing.value) else None
        if found is None:
            return unknown(f"the source of {getattr(thing.value, '__name__', 'it')} is not there")
        thing = Defined(module=found[0], node=found[1], receiver=receiver)
    if not isinstance(thing, Defined) or isinstance(thing.node, ast.ClassDef):
        return unknown("it is called, and is no function")
    return _returned(resolver, thing, receiver or thing.receiver)


def _returned(resolver: Resolver, thing: Defined, receiver: Thing | None) -> Things:
    node: Any = thing.node
    if isinstance(node, ast.Lambda):
        return resolver.resolve(node.body, thing.module)
    declared = resolver.annotation(node.returns, thing.module) if node.returns else ()
    is_told = bool(declared) and not any(isinstance(one, Unknown) for one in declared)
    # a type does not say what a queryset is filtered by
    if is_told and not any(isinstance(one, Rows) for one in declared):
        return declared
    with _as(resolver, node, receiver):
        found = tuple(
            one
            for value in resolver.library.returns(node)
            for one in resolver.resolve(value, thing.module)
            if not is_none(one)
        )
    if is_told and (not found or any(isinstance(one, Unknown) for one in found)):
        return declared
    return found or unknown(f"{node.name}() returns nothing that can be followed")


@contextmanager
def _as(resolver: Resolver, function: ast.AST, receiver: Thing | None) -> Iterator[None]:
    """Inside, ``self`` of the function is the receiver."""
    if receiver is not None:
        resolver.receivers.append((function, receiver))
    try:
        yield
    finally:
        if receiver is not None:
            resolver.receivers.pop()


def parameter(resolver: Resolver, binding: Binding, module: Module) -> Things:
    function: Any = binding.at
    owner = module.parent(function)
    if isinstance(owner, ast.ClassDef) and binding.path == (0,) and not is_static(function):
        return _receiver(resolver, function, owner, module)
    if binding.node.annotation is not None:
        found = resolver.annotation(binding.node.annotation, module)
        if found and not all(isinstance(one, Unknown) for one in found):
            return found
    known = _of_signal(resolver, function, binding.node.arg, module)
    return known or resolver.library.given_to(resolver, function, binding, module)


def _receiver(resolver: Resolver, function: Any, owner: ast.ClassDef, module: Module) -> Things:
    is_class = any(last_name(one) == "classmethod" for one in function.decorator_list)
    given = [thing for node, thing in resolver.receivers if node is function]
    things = (given[-1],) if given else resolver.self_of(owner, module)
    if not is_class and function.name not in ("__new__", "__init_subclass__"):
        return things
    return tuple(class_of(one) for one in things)


def _of_signal(resolver: Resolver, function: Any, name: str, module: Module) -> Things:
    """``sender`` and ``instance`` of a receiver that names its sender."""
    if name not in ("sender", "instance"):
        return ()
    found: list[Thing] = []
    for decorator in getattr(function, "decorator_list", []):
        if isinstance(decorator, ast.Call) and last_name(decorator.func) == "receiver":
            for keyword in decorator.keywords:
                if keyword.arg == "sender":
                    found += model_named(resolver, keyword.value, module)
    if name == "sender":
        return tuple(found)
    return tuple(Instance(model=one.model) for one in found if isinstance(one, ModelClass))


def model_named(resolver: Resolver, node: Any, module: Module) -> Things:
    """A model, by its class or by its label as text."""
    return tuple(
        one
        for thing in resolver.resolve(node, module)
        for one in (
            resolver.library.labelled(thing.value)
            if isinstance(thing, Object) and isinstance(thing.value, str)
            else (thing,)
        )
    )
