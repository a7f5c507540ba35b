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
        inner, only = inside_condition(expression)
        condition = only if condition is None else condition & only if only else condition
        name, _, asked = (yes_or_no(inner) or "").partition("__")
        if asked == "isnull":
            flags.add(name)
        elif name or isinstance(inner, Coalesce):
            filled[repr(inner)] = inner
        else:
            values.append(inner)
    equal = {name for one in filled.values() if (name := _stood_in_for(one)) in flags}
    for one in filled.values():
        is_folded = _stood_in_for(one) in equal
        values.append(_value_of(one) if is_folded else one)
    return Unfolded(
        values=tuple(values),
        condition=condition,
        equal_nulls=frozenset(equal),
        flags=frozenset(flags - equal),
    )


def _value_of(filled: Case | Coalesce) -> Any:
    told = yes_or_no(filled)
    return F(told) if told else filled.get_source_expressions()[0]


def _stood_in_for(filled: Case | Coalesce) -> str:
    """The field for whose NULL, and for nothing else, a value stands in; "" if it is another."""
    if isinstance(filled, Case):
        return yes_or_no(filled) or ""
    value, *others = filled.get_source_expressions()
    if len(others) != 1 or not isinstance(others[0], Value):
        return ""
    while type(value) in KEEPING_NULLS:
        (value,) = value.get_source_expressions()
    return str(value.name) if isinstance(value, F) else ""  # type: ignore[attr-defined]  # F.name is missing in the stubs


def inside_condition(expression: Any) -> tuple[Any, Q | None]:
    """``Case(When(condition, then=value))`` taken apart; whatever else it is, without one."""
    if not isinstance(expression, Case) or len(expression.cases) != 1:
        return expression, None
    (when,) = expression.cases
    is_rest_out = isinstance(expression.default, Value) and expression.default.value is None
    if not is_rest_out or not isinstance(when.condition, Q):
        return expression, None
    return when.result, when.condition


def yes_or_no(expression: Any) -> str | None:
    """The look-up of which an expression says by 1 or 0 whether it is true, if it is such a one.

    That is a field, or ``field__isnull``.
    """
    if not isinstance(expression, Case) or len(expression.cases) != 1:
        return None
    (when,) = expression.cases
    values = [getattr(one, "value", None) for one in (when.result, expression.default)]
    asked = when.condition.children if isinstance(when.condition, Q) else ()
    if values != [1, 0] or len(asked) != 1 or not isinstance(asked[0], tuple):
        return None
    (lookup, is_so) = asked[0]
    _, _, ending = lookup.partition("__")
    is_known = ending in ("", "isnull") and is_so is True and not when.condition.negated
    return str(lookup) if is_known else None
