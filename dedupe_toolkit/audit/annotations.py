"""What type annotations say of the values they stand beside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from django.db.models import Manager, Model, QuerySet

from .spelling import last_name
from .things import (
    Defined,
    Instance,
    Many,
    ModelClass,
    Object,
    Of,
    Rows,
    Thing,
    Things,
    Unknown,
    class_of,
    is_none,
)
from .wrapping import of_instance

if TYPE_CHECKING:
    from .modules import Module
    from .resolve import Resolver


_WRAPPERS = {"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "Awaitable"}
_COLLECTIONS = {
    *("list", "List", "set", "Set", "Iterable", "Iterator", "Sequence", "Collection", "frozenset"),
    *("Generator", "tuple", "Tuple", "AsyncIterator", "AsyncIterable", "deque"),
}
_QUERYSETS = {"QuerySet", "Manager", "BaseManager", "RelatedManager", "ManyRelatedManager"}


def annotated(resolver: Resolver, node: ast.AnnAssign, module: Module) -> Things:
    """What a value with a declared type is: by the value where that says it, or by the type."""
    found = resolver.resolve(node.value, module) if node.value is not None else ()
    known = tuple(one for one in found if not isinstance(one, Unknown) and not is_none(one))
    return known or annotation(resolver, node.annotation, module) or found


def annotation(resolver: Resolver, node: Any, module: Module) -> Things:
    """What a value of that type is; nothing if the type says nothing of models."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _annotation_text(resolver, node, module)
    if isinstance(node, ast.Constant):
        return ()
    if isinstance(node, ast.BinOp):
        return (*annotation(resolver, node.left, module), *annotation(resolver, node.right, module))
    if isinstance(node, ast.Subscript):
        return _parametrised(resolver, node, module)
    found: list[Thing] = []
    for thing in resolver.resolve(node, module):
        found += _value_of_type(thing)
    return tuple(found)


def _annotation_text(resolver: Resolver, node: Any, module: Module) -> Things:
    try:
        inner = ast.parse(node.value, mode="eval").body
    except SyntaxError:
        return ()
    for one in ast.walk(inner):
        module.parents[one] = node
    return annotation(resolver, inner, module)


def _parametrised(resolver: Resolver, node: ast.Subscript, module: Module) -> Things:
    outer = last_name(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer in _WRAPPERS:
        return annotation(resolver, inner[0], module)
    if outer == "Union":
        return tuple(one for part in inner for one in annotation(resolver, part, module))
    if outer in ("type", "Type"):
        return tuple(class_of(one) for one in annotation(resolver, inner[0], module))
    things = annotation(resolver, inner[0], module)
    if outer in _QUERYSETS or outer.endswith(("QuerySet", "Manager")):
        return tuple(
            Rows(model=one.model, kind=QuerySet, is_open=True)
            for one in things
            if isinstance(one, Instance)
        )
    return (Many(member=things),) if outer in _COLLECTIONS and things else ()


def _value_of_type(thing: Thing) -> Things:
    if isinstance(thing, ModelClass):
        return (Instance(model=thing.model),)
    if isinstance(thing, Object) and isinstance(thing.value, type):
        kind = thing.value
        if kind in (QuerySet, Manager, Model) or kind.__module__ in ("builtins", "typing"):
            return ()
        return of_instance(kind)
    if isinstance(thing, Defined) and isinstance(thing.node, ast.ClassDef):
        return (Of(kind=thing),)
    return ()
