"""Computed values of a key kept in columns of their own, which any database can make unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, models
from django.db.models import GeneratedField
from django.db.models.constants import LOOKUP_SEP

from ..databases import database
from ..databases.places import has_table
from ..databases.trying import try_generated
from ..errors import ConstraintRefused
from ..keys import key_field
from .carriers import Carrier, carriers, column_of_value, plain_carriers
from .constraints import is_deterministic

if TYPE_CHECKING:
    from ..values import MatchKey


def carried(key: MatchKey) -> dict[str, Carrier]:
    """The generated fields of the model that hold something of a key, by their names."""
    every = (*plain_carriers(key), *_if_carried(key))
    return {one.name: one for one in every if one.is_there}


def new_fields(key: MatchKey, using: str) -> dict[str, GeneratedField]:
    """The fields to add, by their names: one for each computed value that no field holds yet.

    Raises `ConstraintRefused` for a key that columns cannot carry, with the reason.
    """
    computed = [one for one in carriers(key) if one.expression is not None]
    if not computed:
        raise ConstraintRefused(
            f"{key.label}: the style cannot be generated: its fields have columns already"
        )
    missing = [one for one in computed if not one.is_there]
    return {_free_name(key, one): _field(key, one, using) for one in missing}


def with_columns(key: MatchKey) -> tuple[str, ...]:
    """The columns of the key, each computed value under the name of the field that will hold it."""
    return tuple(one.name for one in carriers(key))


def fields_read(key: MatchKey) -> list[str]:
    """The fields that the columns of the key are made of."""
    meta: Any = key.model._meta
    lookups = (*key.fields, *(lookup for lookup, _ in key.where))
    asked = (lookup.split(LOOKUP_SEP)[0] for lookup in lookups)
    fields = (meta.pk if name == "pk" else meta.get_field(name) for name in asked)
    return list(dict.fromkeys(field.name for field in fields))


def refuse_uncarried(key: MatchKey, using: str) -> None:
    """Raises `ConstraintRefused` for columns that the database refuses.

    Tries them on a table that is gone afterwards.
    """
    found = database(using)
    if not has_table(key.model, using):
        return
    computed = [one for one in carriers(key) if one.expression is not None]
    fields = {one.name: _field(key, one, using) for one in computed}
    try:
        try_generated(found, key.model, fields_read(key), fields, with_columns(key))
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise ConstraintRefused(
            f"{key.label}: database {using!r} cannot keep {', '.join(key.fields)} in generated"
            f" columns: {reason}"
        ) from error


def _if_carried(key: MatchKey) -> tuple[Carrier, ...]:
    try:
        return carriers(key)
    except ConstraintRefused:
        return ()


def _free_name(key: MatchKey, carrier: Carrier) -> str:
    if any(carrier.name == field.name for field in key.model._meta.get_fields()):
        raise ConstraintRefused(
            f"{key.label} has a field {carrier.name} already, which is not generated as"
            f" {carrier.lookup}"
        )
    return carrier.name


def _field(key: MatchKey, carrier: Carrier, using: str) -> GeneratedField:
    if not is_deterministic(key, carrier.lookup):
        raise ConstraintRefused(
            f"{key.label}: {carrier.lookup} may come out differently the next time, so no column"
            " can hold it; lower, upper, trim and collapse always come out alike"
        )
    column = models.IntegerField() if carrier.is_number else _column(key, carrier.lookup, using)
    return GeneratedField(expression=carrier.expression, output_field=column, db_persist=True)


def _column(key: MatchKey, lookup: str, using: str) -> Any:
    """A plain field that holds what the transforms make of a value, compared as the value is."""
    kind, options = column_of_value(key.model, lookup)
    if not hasattr(models, kind):
        raise ConstraintRefused(f"{key.label}: no plain column can hold {lookup} ({kind})")
    if has_table(key.model, using):
        # a new column gets the collation of the table, which need not be that of the old one
        source: Any = key_field(key.model, lookup)
        collation = database(using).own_collation(key.model, source.column)
        options |= {"db_collation": collation} if collation else {}
    return getattr(models, kind)(**options)
