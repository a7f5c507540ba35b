"""Values that a field does not store as they are given, so that nobody finds them again."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.db.models import DecimalField, GeneratedField

from .created import is_stamped
from .saving import assigned_by_save, changed_by_save, is_changed_on_the_way
from .values import UNSET

if TYPE_CHECKING:
    from django.db.models import Model

    from .values import Given


def not_stored_as_given(model: type[Model], field: Any, given: Given) -> bool:
    """Whether a row created with the value certainly, or by its own ``save()``, holds another."""
    return (
        is_stamped(field)
        or isinstance(field, GeneratedField)
        or given.is_computed
        or _is_rounded(field, given)
        or _is_changed(model, field.name, given)
    )


def may_be_stored_otherwise(model: type[Model], field: Any, given: Given) -> bool:
    """Whether the field's own class, or the model's ``save()``, may put another value in place.

    A class such as an automatic slug changes what is taken already, so that no rule is broken.
    """
    if is_changed_on_the_way(type(field)):
        return True
    functions = assigned_by_save(model).get(field.name)
    return functions is not None and not any(f"{one}(" in given.text for one in functions)


def _is_changed(model: type[Model], name: str, given: Given) -> bool:
    """A value that has gone through the function that ``save()`` calls stays as it is."""
    changes = changed_by_save(model)
    return name in changes and not any(f"{one}(" in given.text for one in changes[name])


def _is_rounded(field: Any, given: Given) -> bool:
    if not isinstance(field, DecimalField) or given.literal in (UNSET, None):
        return False
    try:
        value = Decimal(str(given.literal))
        return value != round(value, field.decimal_places)
    except (InvalidOperation, ValueError):
        return False
