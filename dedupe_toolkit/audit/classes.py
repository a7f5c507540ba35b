"""Classes: the running ones and those in source, their bases and their attributes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .attributes import attribute, receivers
from .spelling import is_property
from .things import (
    Defined,
    Instance,
    ModelClass,
    Object,
    Of,
    Rows,
    Thing,
    Things,
    Unknown,
    is_none,
    unknown,
)
from .wrapping import as_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from .modules import Module
    from .resolve import Resolver


def definition(resolver: Resolver, node: Any, module: Module) -> Things:
    """A class or function of a module: the running one where there is one."""
    if isinstance(node, ast.ClassDef):
        found = running_class(resolver, node, module)
        if found is not None:
            return as_class(found)
    return (Defined(module=module, node=node),)


def running_class(resolver: Resolver, node: ast.ClassDef, module: Module) -> type | None:
    found: Any = module.loaded
    for name in module.qualified_name(node).split("."):
        found = vars(found).get(name) if found is not None and hasattr(found, "__dict__") else None
    return found if isinstance(found, type) and found.__name__ == node.name else None


def self_of(resolver: Resolver, node: ast.ClassDef, module: Module) -> Things:
    """What ``self`` is in the methods of a class."""
    running = tuple(receivers(module, node))
    if running:
        return running
    for base in node.bases:
        for thing in resolver.resolve(base, module):
            if isinstance(thing, ModelClass) and thing.model._meta.label:
                return unknown(f"model {node.name} is not loaded")
    return (Of(kind=Defined(module=module, node=node)),)


def bases(resolver: Resolver, module: Module, node: ast.ClassDef) -> Iterator[Thing]:
    for base in node.bases:
        target = base.value if isinstance(base, ast.Subscript) else base
        yield from resolver.resolve(target, module)


def class_attribute(
    resolver: Resolver, module: Module, node: Any, name: str, receiver: Thing
) -> Things:
    """An attribute of a class in source: in its body, its methods, or its bases."""
    bound = module.bindings(node).get(name)
    if bound and isinstance(bound[-1].node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = bound[-1].node
        thing = Defined(module=module, node=function, receiver=receiver)
        if is_property(function):
            return resolver.returned(thing, receiver)
        return (thing,)
    if bound:
        found = resolver.bound_to(bound[-1:], module)
        if not all(is_none(one) for one in found):
            return found
    found = _assigned(resolver, module, node, name)
    if found:
        return found
    for base in bases(resolver, module, node):
        for one in _through_base(resolver, base, name, receiver):
            return (one,) if not isinstance(one, tuple) else one
    return ()


def _through_base(resolver: Resolver, base: Thing, name: str, receiver: Thing) -> Iterator[Things]:
    if isinstance(base, Defined) and isinstance(base.node, ast.ClassDef):
        found = class_attribute(resolver, base.module, base.node, name, receiver)
    elif isinstance(base, Object) and isinstance(base.value, type):
        found = attribute(resolver, Of(kind=base), name)
    else:
        return
    if found and not all(isinstance(one, Unknown) for one in found):
        yield found


def assigned_to_self(resolver: Resolver, kind: type, name: str) -> Things:
    """What the methods of a class put into ``resolver.name``."""
    for one in kind.__mro__:
        module = resolver.library.module(one.__module__)
        node = module.definition(one.__qualname__) if module else None
        if module and isinstance(node, ast.ClassDef):
            found = _assigned(resolver, module, node, name)
            if found:
                return found
    return ()


def _assigned(resolver: Resolver, module: Module, node: ast.ClassDef, name: str) -> Things:
    found: list[Thing] = []
    for value, path in resolver.library.self_assignments(node).get(name, []):
        things = resolver.resolve(value, module)
        for index in path:
            things = resolver.members(things, index)
        found.extend(things)
    return tuple(dict.fromkeys(one for one in found if not is_none(one)))


def conventional(resolver: Resolver, thing: Thing, name: str) -> Things:
    """What Django's own views, forms and serializers have under these names."""
    if name in ("object", "instance"):
        return tuple(Instance(model=model) for model in _models_of(resolver, thing))
    # a form's options are those of its Meta, put together when the class is made
    return attribute(resolver, thing, "Meta") if name in ("_meta", "opts") else ()


def _models_of(resolver: Resolver, thing: Thing) -> list[type[Model]]:
    """The model that a view, form or serializer is about."""
    found: list[type[Model]] = []
    for name in ("model", "queryset", "_meta_model"):
        things = (
            attribute(resolver, thing, name) if name != "_meta_model" else _meta(resolver, thing)
        )
        found += [o.model for o in things if isinstance(o, ModelClass | Rows | Instance)]
        if found:
            break
    return found


def _meta(resolver: Resolver, thing: Thing) -> Things:
    meta = attribute(resolver, thing, "Meta")
    return tuple(one for part in meta for one in attribute(resolver, part, "model"))


def above(resolver: Resolver, node: ast.Call, module: Module) -> Things:
    owner = module.enclosing_class(node)
    if owner is None:
        return unknown("super() outside of a class")
    running = running_class(resolver, owner, module)
    return tuple(_above(thing, running) for thing in self_of(resolver, owner, module))


def _above(thing: Thing, owner: type | None) -> Thing:
    """What ``super()`` is: the same, with the methods of the next class in line alone."""
    if isinstance(thing, Rows) and owner is not None:
        return Rows(model=thing.model, kind=owner.__mro__[1])
    return thing
