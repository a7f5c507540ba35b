"""The row that a call creates, as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import NOT_PROVIDED, AutoField, DateField, GeneratedField, TimeField, Value

from .lookups import field_name, fields_of
from .saving import filled_by_save, is_changed_on_the_way
from .values import Given, Null

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Model

    from .lookups import Asked
    from .values import Call


FILLED = Given()
"""What the model's own ``save()`` may put into a column that is not given."""


def created_row(call: Call, asked: Sequence[Asked]) -> dict[str, Given]:
    """What is known of each column: given as a default, looked up, or the field's own default.

    Django gives ``defaults`` the last word, over what is looked up as well.

    A column that nothing is known of is missing, and so is one that has to be given and is not.
    """
    row = {one.name: one.given for one in asked if one.reaches_create and one.name}
    for name, given in (call.defaults or {}).items():
        row[field_name(call.model, name)] = given
    if call.defaults is None:
        return row
    for name, field in fields_of(call.model).items():
        if name in row:
            continue
        default = FILLED if _fills(call.model, field) else own_default(field)
        if default is not None:
            row[name] = default
    return row


def _fills(model: type[Model], field: Any) -> bool:
    """Whether saving may fill in a column that nothing is given for: a slug, a number."""
    is_plain = not (field.is_relation or isinstance(field, GeneratedField) or is_stamped(field))
    return is_plain and (field.name in filled_by_save(model) or is_changed_on_the_way(type(field)))


def own_default(field: Any) -> Given | None:
    """The value of a field that a row is created without; None where there is none to see."""
    if is_stamped(field):
        return Given(null=Null.NEVER, varies=True)
    if isinstance(field, GeneratedField):
        return None
    if field.default is not NOT_PROVIDED:
        return _default(field.default)
    db_default = getattr(field, "db_default", NOT_PROVIDED)
    if db_default is not NOT_PROVIDED:
        value = db_default.value if isinstance(db_default, Value) else db_default
        return Given() if hasattr(value, "resolve_expression") else Given.of(value)
    if field.null:
        return Given.of(None)
    if isinstance(field, AutoField) or field.primary_key or field.is_relation:
        return None
    return Given.of("") if field.empty_strings_allowed else None


def is_stamped(field: Any) -> bool:
    """Whether saving overwrites whatever was given with the time."""
    is_time = isinstance(field, DateField | TimeField)
    return is_time and bool(field.auto_now or field.auto_now_add)


def fills_itself(field: Any) -> bool:
    """Whether a primary key that is given as None gets a new value instead."""
    if field.is_relation:
        return bool(field.remote_field.parent_link)
    is_automatic = isinstance(field, AutoField) or getattr(field, "db_returning", False)
    return is_automatic or field.has_default() or field.has_db_default()


def must_be_given(call: Call, row: Mapping[str, Given]) -> list[str]:
    """The columns without which the row cannot be created, and which the call does not give."""
    if call.defaults is None:
        return []
    return [
        name
        for name, field in fields_of(call.model).items()
        if name not in row and not field.primary_key and not isinstance(field, GeneratedField)
    ]


def _default(value: Any) -> Given:
    if not callable(value):
        return Given.of(value)
    if value in (list, dict, str, int, bool):
        return Given.of(value())
    return Given(varies=True, null=Null.MAYBE)
