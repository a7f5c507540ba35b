"""What a call returns: of a manager, a queryset, a model, or any function that can be read."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from .given import Givens
from .things import (
    Defined,
    Group,
    Instance,
    Many,
    ModelClass,
    Object,
    Of,
    Rows,
    Thing,
    Things,
    Unknown,
    unknown,
)
from .wrapping import of_instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .modules import Module
    from .resolve import Resolver

_CHAINED = {
    *("all", "order_by", "select_related", "prefetch_related", "only", "defer", "annotate"),
    *("alias", "distinct", "reverse", "iterator", "aiterator"),
    *("dates", "get_queryset"),
}
_HIDING = {"exclude", "extra", "with_perm"}
_ONE = {
    *("get", "first", "last", "latest", "earliest", "create", "aget", "afirst", "alast"),
    *("alatest", "aearliest", "acreate", "get_by_natural_key", "create_user", "create_superuser"),
    *("get_current", "get_for_model", "get_for_id", "get_for_concrete_model"),
}
_ONE_AND_FLAG = {
    *("get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"),
}
_SOME = {"bulk_create", "abulk_create", "in_bulk", "raw"}
_NO_ROWS = {"values", "values_list", "count", "exists", "aggregate", "delete", "update"}
_GETTERS = {"get_object_or_404", "aget_object_or_404"}
_LISTERS = {"get_list_or_404", "aget_list_or_404"}
_PASSING_ON = {"list", "tuple", "set", "sorted", "cast", "deepcopy", "copy", "next"}
_LABELLED = {"get_model", "load_model", "get_registered_model"}


def called(resolver: Resolver, thing: Thing, name: str, node: ast.Call, module: Module) -> Things:
    """What ``thing.name(…)`` returns, or ``thing(…)`` where there is no name."""
    last = name or getattr(node.func, "id", "")
    if last in _LABELLED and (found := _labelled(resolver, node, module)):
        return found
    if last in _GETTERS and node.args:
        return _instances(resolver.resolve(node.args[0], module))
    if last in _LISTERS and node.args:
        return (Many(member=_instances(resolver.resolve(node.args[0], module))),)
    if name == "" and last in _PASSING_ON:
        return _passed_on(resolver, last, node, module)
    if name == "" and last == "getattr" and len(node.args) > 1:
        return _getattr(resolver, node, module)
    if name == "" and last == "type" and len(node.args) == 1:
        return tuple(
            ModelClass(model=one.model) if isinstance(one, Instance) else one.kind
            for one in resolver.resolve(node.args[0], module)
            if isinstance(one, Instance | Of)
        )
    if isinstance(thing, Rows) and name:
        return _of_rows(resolver, thing, name, node, module)
    if isinstance(thing, Unknown):
        return (thing,)
    if not name:
        return _plain(resolver, thing)
    return _method(resolver, thing, name)


def _plain(resolver: Resolver, thing: Thing) -> Things:
    if isinstance(thing, ModelClass):
        return (Instance(model=thing.model),)
    if isinstance(thing, Object):
        return _object(resolver, thing)
    if isinstance(thing, Defined) and isinstance(thing.node, ast.ClassDef):
        return (Of(kind=thing),)
    if isinstance(thing, Defined):
        return resolver.returned(thing)
    if isinstance(thing, Rows):  # a related manager, called to choose another manager
        return (thing,)
    return (thing,) if isinstance(thing, Unknown) else unknown("it is called, and is no function")


def _object(resolver: Resolver, thing: Object) -> Things:
    value = thing.value
    if isinstance(value, type):
        return of_instance(value)
    if getattr(value, "__name__", "") == "get_user_model":
        return tuple(
            ModelClass(model=one.model) if isinstance(one, Instance) else one
            for one in resolver.user()
        )
    return resolver.returned(thing)


def _method(resolver: Resolver, thing: Thing, name: str) -> Things:
    from .attributes import attribute

    if isinstance(thing, Object) and isinstance(thing.value, dict) and name in ("get", "pop"):
        return resolver.members((thing,))
    if isinstance(thing, Group) and name in ("get", "pop", "items", "values"):
        return resolver.members((thing,))
    if isinstance(thing, Object) and thing.value.__class__ is type(_method):
        return unknown("it is taken from a function")
    special = _conventional(resolver, thing, name)
    if special:
        return special
    return tuple(
        one for found in attribute(resolver, thing, name) for one in _plain(resolver, found)
    )


def _conventional(resolver: Resolver, thing: Thing, name: str) -> Things:
    """Methods of Django's views, forms and serializers that return rows of their model."""
    if not isinstance(thing, Of):
        return ()
    if name in ("get_object", "save", "aget_object"):
        return resolver.conventional(thing, "object")
    if name == "get_queryset" and isinstance(thing.kind, Object | Defined):
        models = resolver.conventional(thing, "object")
        return _own_queryset(resolver, thing) or tuple(
            Rows(model=o.model, kind=QuerySet, is_open=True)
            for o in models
            if isinstance(o, Instance)
        )
    return ()


def _own_queryset(resolver: Resolver, thing: Thing) -> Things:
    """What a ``get_queryset()`` of the project's own returns, where that can be followed."""
    found = [
        one
        for method in resolver.attribute(thing, "get_queryset")
        if isinstance(method, Defined)
        for one in resolver.returned(method)
    ]
    return tuple(found) if found and all(isinstance(one, Rows) for one in found) else ()


def _of_rows(resolver: Resolver, thing: Rows, name: str, node: ast.Call, module: Module) -> Things:
    if name in _ONE_AND_FLAG:
        return (Group(members=((Instance(model=thing.model),), unknown("a flag"))),)
    # what a manager's own get_queryset() filters by, its rows have from the running project
    own = None if name == "get_queryset" else _own_method(thing, name)
    if own is not None and name not in _ONE:
        return resolver.returned(Object(value=own), thing)
    if name in ("filter", "complex_filter"):
        return (_filtered(resolver, thing.as_queryset(), node, module),)
    if name in _HIDING:
        rows = thing.as_queryset()
        return (replace(rows, excludes=(*rows.excludes, _text(node, name))),)
    if name == "select_for_update":
        return (replace(thing.as_queryset(), locks=True),)
    if name in _CHAINED:
        return (thing.as_queryset(),)
    if name in ("using", "db_manager"):
        return (
            _on(resolver, thing if name == "db_manager" else thing.as_queryset(), node, module),
        )
    if name in ("none", "union", "intersection", "difference"):
        rows = thing.as_queryset()
        return (replace(rows, excludes=(*rows.excludes, f".{name}()")),)
    if name in _ONE:
        return (Instance(model=thing.model),)
    if name in _SOME:
        return (Many(member=(Instance(model=thing.model),)),)
    if name in _NO_ROWS:
        return unknown(f".{name}() returns no rows of a model")
    if hasattr(QuerySet, name):
        return (thing.as_queryset(),)
    return unknown(f"{getattr(thing.kind, '__name__', 'the manager')} has no method {name}()")


def _own_method(thing: Rows, name: str) -> Any:
    """A method that a manager or queryset class of the project has of its own."""
    kind = thing.kind
    if not isinstance(kind, type):
        return None
    for one in (kind, getattr(kind, "_queryset_class", None)):
        value = inspect.getattr_static(one, name, None) if one is not None else None
        if inspect.isfunction(value) and not _is_djangos(value):
            return inspect.unwrap(value)
    return None


def _is_djangos(function: Any) -> bool:
    module = getattr(inspect.unwrap(function), "__module__", "") or ""
    return module.startswith(("django.db.", "django.contrib."))


def own_creation(thing: Rows, method: str) -> Any:
    """The project's own ``get_or_create`` that a manager has instead of Django's, if any."""
    return _own_method(thing, method) if method else None


def _filtered(resolver: Resolver, rows: Rows, node: ast.Call, module: Module) -> Rows:
    givens = Givens(resolver, module)
    filters, excludes = list(rows.filters), list(rows.excludes)
    excludes += [ast.unparse(one) for one in node.args]
    for keyword in node.keywords:
        if keyword.arg is None:
            excludes.append(f"**{ast.unparse(keyword.value)}")
        else:
            filters.append((keyword.arg, givens.of(keyword.value)))
    return replace(rows, filters=tuple(filters), excludes=tuple(excludes))


def _on(resolver: Resolver, rows: Rows, node: ast.Call, module: Module) -> Rows:
    alias = node.args[0] if node.args else None
    found = resolver.resolve(alias, module) if alias is not None else ()
    names = [one.value for one in found if isinstance(one, Object)]
    is_plain = len(names) == 1 and isinstance(names[0], str)
    # an alias that is only known at run time leaves it to the database that the audit asks
    return replace(rows, using=names[0]) if is_plain else rows


def _labelled(resolver: Resolver, node: ast.Call, module: Module) -> Things:
    """``get_model("app", "Model")`` and ``get_model("app.Model")``, of whatever registry."""
    words = []
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)][:2]:
        found = [o.value for o in resolver.resolve(argument, module) if isinstance(o, Object)]
        if len(found) != 1 or not isinstance(found[0], str):
            return ()
        words.append(found[0])
    return resolver.library.labelled(".".join(words)) if words else ()


def _instances(things: Iterable[Thing]) -> Things:
    return tuple(
        Instance(model=one.model) if isinstance(one, ModelClass | Rows | Instance) else one
        for one in things
    )


def _passed_on(resolver: Resolver, name: str, node: ast.Call, module: Module) -> Things:
    """Functions that return what they are given, or what is in it."""
    if not node.args:
        return unknown(f"{name}() of nothing")
    if name == "cast" and len(node.args) == 2:
        found = resolver.annotation(node.args[0], module)
        return found or resolver.resolve(node.args[1], module)
    things = resolver.resolve(node.args[0], module)
    if name == "next":
        return resolver.members(things)
    return things


def _getattr(resolver: Resolver, node: ast.Call, module: Module) -> Things:
    from .attributes import attribute

    names = [o.value for o in resolver.resolve(node.args[1], module) if isinstance(o, Object)]
    if not names or not all(isinstance(name, str) for name in names):
        return unknown("getattr() of a name that is only known at run time")
    things = resolver.resolve(node.args[0], module)
    return tuple(one for t in things for name in names for one in attribute(resolver, t, name))


def _text(node: ast.Call, name: str) -> str:
    inside = ", ".join(ast.unparse(one) for one in [*node.args, *node.keywords])
    return f"{name}({inside})"
