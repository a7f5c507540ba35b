"""Computed values of a key kept in columns of their own, which any database can make unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.db.models import GeneratedField, UniqueConstraint

from ..databases import database
from ..databases.places import has_table
from ..databases.trying import try_generated
from ..errors import ConstraintRefused
from ..keys import key_field, output_field
from ..values import Blanks, Nulls
from .constraints import expression_of, generated_name, is_deterministic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model

    from ..values import MatchKey

_OF_COLUMN = ("max_length", "db_collation")


def carried(key: MatchKey) -> dict[str, str]:
    """For the lookups of a key that a generated field of the model holds, the field's name."""
    expressions = {repr(expression_of(key, one)): one for one in key.fields if "__" in one}
    found = {}
    for field in key.model._meta.local_concrete_fields:
        lookup = expressions.get(repr(getattr(field, "expression", None)))
        if lookup is not None:
            found[lookup] = field.name
    return found


def by_columns(key: MatchKey, name: str | None = None) -> UniqueConstraint | None:
    """The constraint that says the same of the model's generated fields; None without them."""
    names = carried(key)
    if not names or any("__" in one and one not in names for one in key.fields) or needs_more(key):
        return None
    fields = [names.get(one, one) for one in key.fields]
    return UniqueConstraint(fields=fields, name=name or generated_name(key))


def needs_more(key: MatchKey) -> str:
    """What of a key a column cannot hold that is the same for all rows; "" if nothing."""
    if key.where:
        return "the condition of --where"
    if key.nulls is Nulls.EQUAL:
        return "--nulls equal"
    return "--blanks distinct" if key.blanks is Blanks.DISTINCT else ""


def new_fields(key: MatchKey, using: str) -> dict[str, GeneratedField]:
    """The fields to add, by their names: one for each computed value that no field holds yet.

    Raises `ConstraintRefused` for a key that columns cannot carry, with the reason.
    """
    computed = [one for one in key.fields if "__" in one]
    more = needs_more(key)
    if not computed or more:
        what = f"{more} is no value of a row" if more else "its fields have columns already"
        raise ConstraintRefused(f"{key.label}: the style cannot be generated: {what}")
    known = carried(key)
    return {_free_name(key, one): _field(key, one, using) for one in computed if one not in known}


def with_columns(key: MatchKey) -> tuple[str, ...]:
    """The fields of the key, each computed value under the name of the column that will hold it."""
    known = carried(key)
    return tuple(known.get(one) or one.replace("__", "_") for one in key.fields)


def refuse_uncarried(key: MatchKey, fields: Mapping[str, GeneratedField], using: str) -> None:
    """Raises `ConstraintRefused` for columns that the database refuses.

    Tries them on a table that is gone afterwards.
    """
    found = database(using)
    if not has_table(key.model, using):
        return
    names = [key_field(key.model, one).name for one in key.fields]
    try:
        try_generated(found, key.model, names, fields, with_columns(key))
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise ConstraintRefused(
            f"{key.label}: database {using!r} cannot keep {', '.join(key.fields)} in generated"
            f" columns: {reason}"
        ) from error


def _free_name(key: MatchKey, lookup: str) -> str:
    name = lookup.replace("__", "_")
    if any(name == field.name for field in key.model._meta.get_fields()):
        raise ConstraintRefused(
            f"{key.label} has a field {name} already, which is not generated as {lookup}"
        )
    return name


def _field(key: MatchKey, lookup: str, using: str) -> GeneratedField:
    if not is_deterministic(key, lookup):
        raise ConstraintRefused(
            f"{key.label}: {lookup} may come out differently the next time, so no column can hold"
            " it; lower, upper, trim and collapse always come out alike"
        )
    return GeneratedField(
        expression=expression_of(key, lookup),
        output_field=_column_of(key.model, lookup, using),
        db_persist=True,
    )


def _column_of(model: type[Model], lookup: str, using: str) -> Any:
    """A plain field that holds what the transforms make of a value, compared as the value is."""
    field: Any = key_field(model, lookup)
    _, _, _, options = field.deconstruct()
    kept = {name: options[name] for name in _OF_COLUMN if name in options}
    if has_table(model, using):
        # a new column gets the collation of the table, which need not be that of the old one
        collation = database(using).own_collation(model, field.column)
        kept |= {"db_collation": collation} if collation else {}
    return type(output_field(model, lookup))(**kept)
