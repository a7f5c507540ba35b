"""What an expression in source stands for, as far as an audit cares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

    from django.db.models import Model

    from .modules import Module
    from .values import Given


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One thing that an expression may stand for."""


@dataclass(frozen=True, kw_only=True)
class Unknown(Thing):
    """Something that cannot be told, and why."""

    why: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelClass(Thing):
    model: type[Model]


@dataclass(frozen=True, kw_only=True)
class Instance(Thing):
    """A row of a model, never None."""

    model: type[Model]


@dataclass(frozen=True, kw_only=True)
class Rows(Thing):
    """A manager or a queryset, with what it asks for and what it gives to new rows."""

    model: type[Model]
    kind: Any = None
    """The class whose methods it has."""
    lookups: tuple[tuple[str, Given], ...] = ()
    filters: tuple[tuple[str, Given], ...] = ()
    excludes: tuple[str, ...] = ()
    many_to_many: str = ""
    using: str = ""
    relation: str = ""
    locks: bool = False
    """Whether it selects for update."""
    is_open: bool = False
    """Whether it may ask for more, which only a declared type, or nothing, speaks of."""
    through: Any = None
    """The model of a many-to-many relation's link rows."""

    def as_queryset(self) -> Rows:
        """What ``all()`` gives: a related manager's own values no longer reach new rows."""
        link = ((self.relation, self.lookups[0][1]),) if self.many_to_many and self.lookups else ()
        filters = (*self.filters, *(link or self.lookups))
        kind = getattr(self.kind, "_queryset_class", self.kind)
        return replace(self, kind=kind, lookups=(), many_to_many="", through=None, filters=filters)


@dataclass(frozen=True, kw_only=True)
class Object(Thing):
    """An object of the running project: a module, a class, a function, a constant."""

    value: Any

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and other.value is self.value


@dataclass(frozen=True, kw_only=True)
class Defined(Thing):
    """A class or function that is only in source, or whose source matters."""

    module: Module
    node: ast.AST
    receiver: Thing | None = None
    """What ``self`` or ``cls`` is in it."""


@dataclass(frozen=True, kw_only=True)
class Of(Thing):
    """An instance of a class that is no model."""

    kind: Thing


@dataclass(frozen=True, kw_only=True)
class Group(Thing):
    """A tuple, list or dictionary written out: its members, each with what it may be."""

    members: tuple[tuple[Thing, ...], ...]
    keys: tuple[Any, ...] | None = None
    """A dictionary's keys, as far as they are constants."""


@dataclass(frozen=True, kw_only=True)
class Many(Thing):
    """Any number of things, all alike."""

    member: tuple[Thing, ...]


Things = tuple[Thing, ...]


def unknown(why: str) -> Things:
    return (Unknown(why=why),)


def is_none(thing: Thing) -> bool:
    return isinstance(thing, Object) and thing.value is None


def class_of(thing: Thing) -> Thing:
    """The class of an instance; a class stays what it is."""
    if isinstance(thing, Instance):
        return ModelClass(model=thing.model)
    return thing.kind if isinstance(thing, Of) else thing
