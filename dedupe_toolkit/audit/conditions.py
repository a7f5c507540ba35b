"""Whether a row meets the condition of a unique rule: yes, no, or not to be told."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from .lookups import field_name, fields_of
from .values import UNSET, Null

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import Model

    from .values import Given

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, values: value in values,
}


def meets(model: type[Model], condition: Any, row: Mapping[str, Given]) -> bool | None:
    """Whether a row of these values meets the condition; None if that depends."""
    if isinstance(condition, Q):
        return _negated(condition.negated, _combined(model, condition, row))
    if isinstance(condition, tuple) and len(condition) == 2:
        return meets_lookup(model, *condition, row)
    return None


def meets_lookup(
    model: type[Model], lookup: str, value: Any, row: Mapping[str, Given]
) -> bool | None:
    """Whether a row of these values meets one look-up."""
    name, compared = split(model, lookup)
    given = row.get(name)
    if given is None or hasattr(value, "resolve_expression"):
        return None
    if compared == "isnull" or (compared == "exact" and value is None):
        is_null = {Null.ALWAYS: True, Null.NEVER: False, Null.PROMISED: None, Null.MAYBE: None}[
            given.null
        ]
        return _negated(compared == "isnull" and not value, is_null)
    if given.null is Null.ALWAYS:
        return False
    if given.literal is UNSET or compared not in _COMPARISONS:
        return None
    return _compared(fields_of(model)[name], compared, given.literal, value)


def demands(condition: Any) -> Iterator[tuple[str, Any]]:
    """The look-ups that every row of the condition meets."""
    if isinstance(condition, tuple):
        yield condition
    elif isinstance(condition, Q) and not condition.negated and _is_conjunction(condition):
        for child in condition.children:
            yield from demands(child)


def split(model: type[Model], lookup: str) -> tuple[str, str]:
    """The field that a look-up asks for, and how it compares."""
    name, *rest = lookup.split("__")
    return (field_name(model, name), rest[0] if rest else "exact") if len(rest) < 2 else ("", "")


def _is_conjunction(condition: Q) -> bool:
    return condition.connector == Q.AND or len(condition.children) == 1


def _combined(model: type[Model], condition: Q, row: Mapping[str, Given]) -> bool | None:
    answers = [meets(model, child, row) for child in condition.children]
    if condition.connector == Q.AND:
        return False if False in answers else None if None in answers else True
    if condition.connector == Q.OR:
        return True if True in answers else None if None in answers else False
    return None


def _negated(is_negated: bool, answer: bool | None) -> bool | None:
    return answer if answer is None else answer is not is_negated


def _compared(field: Any, compared: str, literal: Any, value: Any) -> bool | None:
    try:
        known = _plain(field, literal)
        other = [_plain(field, one) for one in value] if compared == "in" else _plain(field, value)
        return bool(_COMPARISONS[compared](known, other))
    except (TypeError, ValueError, ValidationError):
        return None


def _plain(field: Any, value: Any) -> Any:
    value = getattr(value, "pk", value)
    return value if field.is_relation else field.to_python(value)
