"""Models of one table, by whatever name each calls it: in a merge the table has one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..databases import database
from ..databases.caching import cached
from ..databases.places import place_of
from .kinds import Reference
from .meta import concrete

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.apps.registry import Apps
    from django.db.models import Model

Kind = TypeVar("Kind", bound=Reference)


def twins_of(model: type[Model], using: str) -> tuple[type[Model], ...]:
    """The other models of a model's own table: what points at their rows points at its own."""
    own = concrete(model)
    place = place_of(own, using)
    found = _by_table(model._meta.apps, using)[place.identity] if place else ()
    return tuple(other for other in found if other is not own)


@cached
def _by_table(apps: Apps, using: str) -> dict[Any, list[type[Model]]]:
    found: dict[Any, list[type[Model]]] = {}
    for model in apps.get_models(include_auto_created=True):
        place = None if model._meta.proxy else place_of(model, using)
        if place:
            found.setdefault(place.identity, []).append(model)
    return found


def on_one_model(references: Iterable[Kind], model: type[Model], using: str) -> tuple[Kind, ...]:
    """The references, all those of one table held by the same model of it."""
    owners: dict[Any, type[Model]] = {}
    for owner in (concrete(model), *(reference.referrer for reference in references)):
        place = place_of(owner, using)
        owners.setdefault(place and place.identity, owner)
    return tuple(_held_by(one, owners, using) for one in references)


def _held_by(reference: Kind, owners: dict[Any, type[Model]], using: str) -> Kind:
    place = place_of(reference.referrer, using)
    owner = owners[place and place.identity]
    # a condition speaks of the fields of its model
    if owner is reference.referrer or reference.where is not None:
        return reference
    known = database(using)
    names = {known.as_compared(column.name): column.name for column in known.table(owner).columns}
    columns = [names.get(known.as_compared(column), "") for column in reference.columns]
    # a pending one is told of under its own model
    return replace(reference, referrer=owner, columns=tuple(columns)) if all(columns) else reference
