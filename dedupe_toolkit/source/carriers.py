"""The columns that carry a key where no constraint can: its fields, and what is made of them.

Two rows are equal in all these columns exactly where they are duplicates: a row that the key leaves
out has NULL in one of them, and where NULLs are equal, another value stands in for NULL, beside a
column that says which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce

from ..errors import ConstraintRefused
from ..keys import key_field, output_field, source_of_nulls
from ..values import Nulls
from .constraints import condition_of, expression_of
from .unfolding import inside_condition, yes_or_no

if TYPE_CHECKING:
    from django.db.models import Model

    from ..values import MatchKey

_OF_COLUMN = ("max_length", "db_collation", "max_digits", "decimal_places")
_TEXTS = ("CharField", "TextField", "SlugField")
_STANDS_IN: dict[str, Any] = {
    **dict.fromkeys(_TEXTS, ""),
    **dict.fromkeys(("SmallIntegerField", "IntegerField", "BigIntegerField"), 0),
    **dict.fromkeys(("PositiveSmallIntegerField", "PositiveIntegerField"), 0),
    **dict.fromkeys(("PositiveBigIntegerField", "DecimalField", "FloatField"), 0),
    "DateField": "1970-01-01",
    "DateTimeField": "1970-01-01 00:00:00",
    "TimeField": "00:00:00",
    "UUIDField": "0" * 32,
}
_COUNTED = {
    "SmallAutoField": "SmallIntegerField",
    "AutoField": "IntegerField",
    "BigAutoField": "BigIntegerField",
}


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A column of a key: the field ``name`` of the model, or one to be computed by that name."""

    name: str
    lookup: str
    expression: Any = None
    is_there: bool = False
    """Whether the model has a generated field that holds it."""
    is_flag: bool = False
    """Whether it says that the look-up is NULL, where another value stands in for it."""

    @property
    def is_number(self) -> bool:
        """Whether it holds 1 or 0, whatever the look-up is."""
        return yes_or_no(inside_condition(self.expression)[0]) is not None

    @property
    def is_folded(self) -> bool:
        """Whether NULL in it takes out a row that the key leaves out, and no other."""
        return self.is_flag or isinstance(self.expression, Case | Coalesce)


def carriers(key: MatchKey) -> tuple[Carrier, ...]:
    """The columns over which a plain unique rule says what the key says."""
    condition = condition_of(key)
    found: list[Carrier] = []
    for lookup in key.fields:
        plain = expression_of(key, lookup)
        value, flags = plain, list[Carrier]()
        if key.nulls is Nulls.EQUAL and key_field(key.model, lookup).null:
            value, flags = _never_null(key.model, lookup, plain), [_flag(key.model, lookup)]
        if condition is not None:
            # NULL in one column takes the row out
            value, condition = Case(When(condition, then=value)), None
        # several look-ups may be of one field, of which one flag tells
        flagged = {one.name for one in found if one.is_flag}
        found += [_carrier(lookup, value, plain), *(f for f in flags if f.name not in flagged)]
    return tuple(_settled(key.model, one) for one in found)


def plain_carriers(key: MatchKey) -> tuple[Carrier, ...]:
    """The transforms of the key alone, as columns that hold them for every row."""
    values = {lookup: expression_of(key, lookup) for lookup in key.fields if "__" in lookup}
    found = (_carrier(lookup, value, value) for lookup, value in values.items())
    return tuple(_settled(key.model, one) for one in found)


def column_of_value(model: type[Model], lookup: str) -> tuple[str, dict[str, Any]]:
    """Django's plain field for the values of a lookup, by its name, and what it must be told."""
    field: Any = output_field(model, lookup)
    while field.is_relation:
        field = field.target_field
    kind = _COUNTED.get(field.get_internal_type(), field.get_internal_type())
    # not what it was made with: a default of its own is none of the plain field's
    options = {name: getattr(field, name, None) for name in _OF_COLUMN}
    return kind, {name: value for name, value in options.items() if value is not None}


def _settled(model: type[Model], carrier: Carrier) -> Carrier:
    """The carrier under the name of the field that holds it, or one that is free."""
    fields: Any = model._meta.get_fields()
    for field in fields:
        made_of = getattr(field, "expression", None)
        if made_of is not None and repr(made_of) == repr(carrier.expression):
            return replace(carrier, name=field.name, is_there=True)
    if not carrier.is_folded:
        return carrier
    # one model may have several keys, each with a condition of its own
    taken = {field.name for field in fields}
    numbered = (f"{carrier.name}_{number}" for number in count(2))
    return replace(carrier, name=next(n for n in chain([carrier.name], numbered) if n not in taken))


def _carrier(lookup: str, value: Any, plain: Any) -> Carrier:
    if isinstance(value, str):
        return Carrier(name=lookup, lookup=lookup)
    name = lookup.replace("__", "_")
    folded = "" if value is plain else "unique_"
    return Carrier(name=f"{folded}{name}", lookup=lookup, expression=value)


def _never_null(model: type[Model], lookup: str, value: Any) -> Case | Coalesce:
    kind, _ = column_of_value(model, lookup)
    if kind == "BooleanField":
        return _number(Q(**{lookup: True}))
    if kind not in _STANDS_IN:
        raise ConstraintRefused(
            f"{model._meta.label}: no value can stand in for NULL in {lookup}, so no column can"
            " hold NULLs that are equal"
        )
    typed = {} if kind in _TEXTS else {"output_field": getattr(models, kind)()}
    return Coalesce(value, Value(_STANDS_IN[kind]), **typed)


def _flag(model: type[Model], lookup: str) -> Carrier:
    name = source_of_nulls(model, lookup)
    expression = _number(Q(**{f"{name}__isnull": True}))
    return Carrier(name=f"{name}_is_null", lookup=lookup, expression=expression, is_flag=True)


def _number(condition: Q) -> Case:
    """Whether something is so: mysqlclient makes bytes of booleans, and MySQL texts of these."""
    return Case(When(condition, then=Value(1)), default=Value(0))
