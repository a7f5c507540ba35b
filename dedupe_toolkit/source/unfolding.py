"""What the generated columns of a unique rule say, read back from their expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, Q, Value
from django.db.models.functions import Coalesce

from ..keys import KEEPING_NULLS

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Unfolded:
    """What a rule over such columns says: values, of which rows, and whose NULLs are equal."""

    values: tuple[Any, ...] = ()
    condition: Q | None = None
    equal_nulls: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    """Fields of which the rule compares no value, only whether they are NULL."""


def unfolded(expressions: Iterable[Any]) -> Unfolded:
    """What the expressions of generated columns under one unique rule say, as far as we write such.

    Whatever else they are comes back as it is.
    """
    values, condition, flags, filled = [], None, set(), {}
    for expression in expressions:
        inner, only = _condition_taken_off(expression)
        condition = only if condition is None else condition & only if only else condition
        flag = _flagged(inner)
        if flag:
            flags.add(flag)
        elif isinstance(inner, Coalesce):
            filled[repr(inner)] = inner
        else:
            values.append(inner)
    equal = {name for one in filled.values() if (name := _stood_in_for(one)) in flags}
    for one in filled.values():
        is_folded = _stood_in_for(one) in equal
        values.append(one.get_source_expressions()[0] if is_folded else one)
    return Unfolded(
        values=tuple(values),
        condition=condition,
        equal_nulls=frozenset(equal),
        flags=frozenset(flags - equal),
    )


def _stood_in_for(filled: Coalesce) -> str:
    """The field for whose NULL, and for nothing else, a value stands in; "" if it is another."""
    value, *others = filled.get_source_expressions()
    if len(others) != 1 or not isinstance(others[0], Value):
        return ""
    while type(value) in KEEPING_NULLS:
        (value,) = value.get_source_expressions()
    return str(value.name) if isinstance(value, F) else ""  # type: ignore[attr-defined]  # F.name is missing in the stubs


def _condition_taken_off(expression: Any) -> tuple[Any, Q | None]:
    """``Case(When(condition, then=value))`` taken apart."""
    if not isinstance(expression, Case) or len(expression.cases) != 1:
        return expression, None
    (when,) = expression.cases
    is_rest_out = isinstance(expression.default, Value) and expression.default.value is None
    if not is_rest_out or not isinstance(when.condition, Q):
        return expression, None
    return when.result, when.condition


def _flagged(expression: Any) -> str:
    """The field of which a flag says whether it is NULL; "" for what is no flag."""
    if not isinstance(expression, Case) or len(expression.cases) != 1:
        return ""
    (when,) = expression.cases
    values = [getattr(one, "value", None) for one in (when.result, expression.default)]
    asked = when.condition.children if isinstance(when.condition, Q) else ()
    if values != [True, False] or len(asked) != 1 or not isinstance(asked[0], tuple):
        return ""
    (lookup, is_null) = asked[0]
    name, _, ending = lookup.rpartition("__")
    return name if ending == "isnull" and is_null is True and not when.condition.negated else ""
