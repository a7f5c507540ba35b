"""A model for a scratch table: its columns, and nothing else that the user's model does.

Saving one of its rows calls no `save()` of the project, no receiver, no `pre_save()` of a field,
and writes to no table of a parent: what is raced for is the database's part.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps.registry import Apps
from django.db.models import (
    AutoField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    CompositePrimaryKey,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    FloatField,
    GenericIPAddressField,
    JSONField,
    Manager,
    Model,
    TimeField,
    UUIDField,
)

from ..errors import InvalidMatchKey, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_TARGET = ("primary_key", "unique", "default", "db_default", "db_index", "validators", "choices")
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_MADE_UP: dict[Any, Callable[[int], Any]] = {
    BooleanField: lambda number: True,
    DateTimeField: lambda number: _SINCE + timedelta(days=number),
    DateField: lambda number: date(2000, 1, 1) + timedelta(days=number),
    TimeField: lambda number: time(number // 60 % 24, number % 60),
    DurationField: lambda number: timedelta(days=number),
    DecimalField: Decimal,
    FloatField: float,
    UUIDField: lambda number: UUID(int=number),
    JSONField: lambda number: {},
    BinaryField: lambda number: str(number).encode(),
    GenericIPAddressField: lambda number: f"192.0.2.{number % 256}",
}


def bare_model(model: type[Model], table: str) -> type[Model]:
    """A model of the columns of ``model``'s own table, for the table of that name.

    Its fields have the names of the model's; relations are columns like any other.

    Raises `InvalidMatchKey` naming a field that cannot stand on another model than its own.
    """
    attributes: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        attributes[field.name] = _of_another_model(field)
    if isinstance(model._meta.pk, CompositePrimaryKey):
        attributes["pk"] = CompositePrimaryKey(*model._meta.pk.field_names)
    meta = {"app_label": model._meta.app_label, "db_table": table, "apps": Apps()}
    attributes |= {"__module__": __name__, "Meta": type("Meta", (), meta), "objects": Manager()}
    try:
        return type("ScratchRow", (Model,), attributes)
    except Exception as error:
        raise InvalidMatchKey(
            f"{model._meta.label} cannot be raced for, since a field of it works on no other"
            f" model: {type(error).__name__}: {error}"
        ) from error


def _of_another_model(field: Any) -> Any:
    copy = _plain_column(field) if field.is_relation else field.clone()
    if not field.generated:
        # what it would compute, it may compute from what the bare model lacks
        copy.pre_save = lambda instance, add: getattr(instance, field.name)
    return copy


def _plain_column(field: Any) -> Any:
    """The column of a relation, as a field that holds what the key it points at holds."""
    target = field
    while target.is_relation:
        target = target.target_field
    options = {"null": field.null, "primary_key": field.primary_key, "db_column": field.column}
    if isinstance(target, AutoField) or target.get_internal_type().endswith("AutoField"):
        return BigIntegerField(**options)
    _, _, arguments, of_target = target.deconstruct()
    kept = {name: value for name, value in of_target.items() if name not in _OF_TARGET}
    return type(target)(*arguments, **kept | options)


def makes_its_own(field: Any) -> bool:
    """Whether a row gets its value for the field without being given one."""
    is_counted = field.get_internal_type().endswith("AutoField")
    return bool(is_counted or field.has_default() or field.has_db_default() or field.generated)


def made_up(field: Any, number: int) -> Any:
    """A value that the field can hold, another for each number where its type allows.

    Raises `InvalidOption` for a field that takes no text, and is of no type known here.
    """
    if field.choices:
        values = [value for value, _ in field.flatchoices]
        return values[number % len(values)]
    for kind, make in _MADE_UP.items():
        if isinstance(field, kind):
            return make(number)
    try:
        return field.to_python(str(number))
    except Exception as error:
        raise InvalidOption(
            f"no value can be made up for {field.name} ({type(field).__name__}): let the table hold"
            " a row, whose values are taken"
        ) from error
