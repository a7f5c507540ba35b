"""Objects of the running project, as things that an audit knows."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db.models import Manager, Model, QuerySet
from django.db.models.fields import related_descriptors as related
from django.db.models.manager import BaseManager

from ..references.meta import concrete
from .filters import filters_of
from .things import Instance, ModelClass, Object, Of, Rows, Things, Unknown
from .values import Given, Null

OWN = Given(text="the related object", null=Null.NEVER, is_key=True)


def wrapped(value: Any) -> Things:
    """What an object of the running project is; never calls or evaluates it."""
    kind = type(value)
    if isinstance(value, type):
        return as_class(value)
    if issubclass(kind, BaseManager):
        return (rows_of(value),) if value.model else (Unknown(why="a manager without a model"),)
    if issubclass(kind, QuerySet):
        filters, excludes = filters_of(value)
        return (
            Rows(model=value.model, kind=kind, filters=tuple(filters.items()), excludes=excludes),
        )
    if issubclass(kind, Model):
        return (Instance(model=kind),)
    return (Object(value=value),)


def as_class(value: type) -> Things:
    """A class: a model, or the concrete models made of an abstract one, or any other."""
    if issubclass(value, Model) and value is not Model:
        models = concrete_models(value)
        if models:
            return tuple(ModelClass(model=model) for model in models)
    return (Object(value=value),)


@cache
def concrete_models(model: type[Model]) -> tuple[type[Model], ...]:
    """The model itself; of an abstract one, those with a table that inherit from it."""
    if not model._meta.abstract:
        return (model,)
    every = apps.get_models(include_auto_created=True)
    return tuple(one for one in every if issubclass(one, model) and not one._meta.proxy)


def rows_of(manager: Any) -> Rows:
    """A manager's rows, with the conditions of its own ``get_queryset()``."""
    filters, excludes = _own_filters(manager)
    return Rows(model=manager.model, kind=type(manager), filters=filters, excludes=excludes)


def _own_filters(manager: Any) -> tuple[tuple[tuple[str, Given], ...], tuple[str, ...]]:
    try:
        filters, excludes = filters_of(manager.get_queryset())
    except Exception:
        # a queryset that needs a request, a tenant or a database to be built
        return (), ("conditions of the manager",)
    return tuple(filters.items()), excludes


@cache
def models_of_manager(kind: Any) -> tuple[Any, ...]:
    """The managers of this class that models have, or that build querysets of this class."""
    found = [
        manager
        for model in apps.get_models(include_auto_created=True)
        for manager in model._meta.managers
        if isinstance(manager, kind) or issubclass(getattr(manager, "_queryset_class", int), kind)
    ]
    return tuple(found)


def of_instance(value: type) -> Things:
    """What ``self`` is in a class of the running project."""
    if issubclass(value, Model):
        models = concrete_models(value) if value is not Model else ()
        return tuple(Instance(model=model) for model in models) or _nobody(value)
    if issubclass(value, BaseManager | QuerySet):
        kind: Any = value
        managers = models_of_manager(kind)
        rows = rows_of if issubclass(value, BaseManager) else _bare_rows
        return tuple(dict.fromkeys(map(rows, managers))) or _nobody(value)
    return (Of(kind=Object(value=value)),)


def _bare_rows(manager: Any) -> Rows:
    return Rows(model=manager.model, kind=type(manager))


def _nobody(value: type) -> Things:
    return (Unknown(why=f"no model of the project uses {value.__name__}"),)


def related_rows(model: type[Model], name: str) -> Things | None:
    """What a relation of a model's instance leads to; None if the name is no relation."""
    descriptor = inspect.getattr_static(model, name, None)
    if isinstance(descriptor, related.ManyToManyDescriptor):
        return _many_to_many(model, descriptor)
    generic: Any = getattr(descriptor, "field", None)
    if getattr(generic, "one_to_many", False) and hasattr(generic, "object_id_field_name"):
        lookups = ((generic.content_type_field_name, OWN), (generic.object_id_field_name, OWN))
        return _reverse(generic.related_model, lookups, None)
    if isinstance(descriptor, related.ReverseManyToOneDescriptor):
        field = descriptor.field
        return _reverse(descriptor.rel.related_model, ((field.name, OWN),), field)
    if isinstance(descriptor, related.ReverseOneToOneDescriptor):
        return (Instance(model=descriptor.related.related_model),)
    if isinstance(descriptor, related.ForwardManyToOneDescriptor):
        return _forward(descriptor.field.remote_field.model)
    if isinstance(descriptor, GenericForeignKey):
        return (Unknown(why=f"{name} points at any model"),)
    return None


def _forward(target: Any) -> Things:
    if not isinstance(target, type):
        return (Unknown(why="a relation to a model that is not installed"),)
    return tuple(Instance(model=model) for model in concrete_models(target))


def _reverse(model: Any, lookups: tuple[tuple[str, Given], ...], field: Any) -> Things:
    manager = model._default_manager
    if field is not None and getattr(model._meta, "default_related_name", None) is False:
        return ()
    rows = rows_of(manager)
    return (Rows(**{**vars(rows), "lookups": lookups}),)


def _many_to_many(model: type[Model], descriptor: Any) -> Things:
    field = descriptor.field
    target = field.model if descriptor.reverse else field.remote_field.model
    back = field.name if descriptor.reverse else field.related_query_name()
    if not isinstance(target, type):
        return (Unknown(why="a relation to a model that is not installed"),)
    return tuple(
        Rows(
            **{
                **vars(rows_of(one._default_manager)),
                "many_to_many": f"{concrete(field.model)._meta.object_name}.{field.name}"
                if not field.model._meta.abstract
                else field.name,
                "relation": back,
                "through": field.remote_field.through,
            }
        )
        for one in concrete_models(target)
    )


def own_manager(model: type[Model], name: str) -> Things | None:
    """A manager that the model's class has under a name; None if it has none."""
    if name in ("_default_manager", "_base_manager"):
        return (rows_of(getattr(model, name)),)
    manager = model._meta.managers_map.get(name)
    return (rows_of(manager),) if isinstance(manager, Manager | BaseManager) else None
