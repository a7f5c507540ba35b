"""What an attribute of a thing is."""

from __future__ import annotations

import ast
import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models.fields.related_descriptors import ManyToManyDescriptor
from django.db.models.query_utils import DeferredAttribute
from django.utils.functional import cached_property as django_cached_property

from .things import Defined, Instance, ModelClass, Object, Of, Rows, Thing, Things, Unknown
from .wrapping import as_class, of_instance, own_manager, related_rows, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .modules import Module
    from .resolve import Resolver

_PROPERTIES = (property, cached_property, django_cached_property)


def attribute(resolver: Resolver, thing: Thing, name: str) -> Things:
    """What ``thing.name`` may be."""
    if isinstance(thing, Unknown):
        return (thing,)
    if isinstance(thing, ModelClass):
        return _of_model(resolver, thing, name)
    if isinstance(thing, Instance):
        return _of_instance(resolver, thing, name)
    if isinstance(thing, Rows):
        return _of_rows(thing, name)
    if isinstance(thing, Object):
        return _of_object(resolver, thing, name)
    if isinstance(thing, Of):
        return _of_other(resolver, thing, name)
    if isinstance(thing, Defined) and isinstance(thing.node, ast.ClassDef):
        return resolver.class_attribute(thing.module, thing.node, name, thing)
    return (Unknown(why=f"nothing is known of .{name}"),)


def _of_model(resolver: Resolver, thing: ModelClass, name: str) -> Things:
    model = thing.model
    manager = own_manager(model, name)
    if manager is not None:
        return manager
    value = inspect.getattr_static(model, name, None)
    if isinstance(value, ManyToManyDescriptor):
        return (Object(value=value),)
    return _static(resolver, model, name, thing)


def _of_instance(resolver: Resolver, thing: Instance, name: str) -> Things:
    model = thing.model
    relation = related_rows(model, name)
    if relation is not None:
        return relation
    if name == "__class__":
        return (ModelClass(model=model),)
    if name == "_meta":
        return (Object(value=model._meta),)
    manager = own_manager(model, name)
    if manager is not None:
        return manager
    value = inspect.getattr_static(model, name, None)
    if isinstance(value, DeferredAttribute):
        return (Unknown(why=f"the value of {model._meta.label}.{name}"),)
    found = _static(resolver, model, name, thing)
    return found or resolver.assigned_to_self(model, name)


def _of_rows(thing: Rows, name: str) -> Things:
    if name == "model":
        return (ModelClass(model=thing.model),)
    if name == "through" and thing.through is not None:
        return as_class(thing.through)
    return (Unknown(why=f"nothing is known of .{name}"),)


def _of_object(resolver: Resolver, thing: Object, name: str) -> Things:
    value = thing.value
    if isinstance(value, ManyToManyDescriptor) and name == "through":
        return as_class(value.through)
    if inspect.ismodule(value):
        if name in vars(value):
            return wrapped(vars(value)[name])
        return resolver.imported(value.__name__, name)
    if isinstance(value, type):
        return _static(resolver, value, name, thing)
    if value is settings:
        return wrapped(getattr(settings, name)) if hasattr(settings, name) else ()
    if hasattr(type(value), "__getattr__"):
        return (Unknown(why=f"nothing is known of .{name}"),)
    try:
        found = inspect.getattr_static(value, name)
    except AttributeError:
        return (Unknown(why=f"nothing is known of .{name}"),)
    is_descriptor = hasattr(type(found), "__get__")
    return (Unknown(why=f"nothing is known of .{name}"),) if is_descriptor else wrapped(found)


def _of_other(resolver: Resolver, thing: Of, name: str) -> Things:
    if isinstance(thing.kind, Object) and isinstance(thing.kind.value, type):
        kind = thing.kind.value
        found = _static(resolver, kind, name, thing)
        if not found or all(isinstance(one, Object) and one.value is None for one in found):
            found = resolver.assigned_to_self(kind, name) or found
        return found or resolver.conventional(thing, name)
    if isinstance(thing.kind, Defined):
        found = resolver.class_attribute(thing.kind.module, thing.kind.node, name, thing)
        return found or resolver.conventional(thing, name)
    return (Unknown(why=f"nothing is known of .{name}"),)


def _static(resolver: Resolver, kind: type, name: str, receiver: Thing) -> Things:
    """A class's attribute as it stands there; a property is what it returns."""
    if name == "model" and not isinstance(receiver, ModelClass | Instance):
        found = inspect.getattr_static(kind, name, None)
        if found is None:
            return resolver.conventional(receiver, name)
    try:
        value = inspect.getattr_static(kind, name)
    except AttributeError:
        return ()
    if isinstance(value, _PROPERTIES):
        getter: Any = value.fget if isinstance(value, property) else value.func
        return resolver.returned(Object(value=getter), receiver)
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if inspect.isfunction(value):
        return resolver.with_self(value, receiver)
    return wrapped(value)


def receivers(module: Module, node: ast.ClassDef) -> Iterator[Thing]:
    """What ``self`` is in a class of a module that Django has loaded."""
    found = module.loaded
    for name in module.qualified_name(node).split("."):
        found = getattr(found, name, None) if not isinstance(found, type) else vars(found).get(name)
        if found is None:
            return
    if isinstance(found, type) and found.__name__ == node.name:
        yield from of_instance(found)
