"""Which row a survivor's blank is filled from, told from instances of the rows. Only reads them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Field

from ..keys import is_text
from ..references.meta import column_of, lineage_of
from ..references.telling import declared_decisive, is_moment
from ..references.together import together_in
from .together import plain_default

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from django.db.models import Model

    from ..references.together import Together

PLAIN = frozenset(
    {type(None), bool, int, float, str, bytes, Decimal, date, datetime, time, timedelta, UUID}
)
"""The types of values that Python compares by what they hold, and writes in full."""

FILL = "fill"
"""The field rule of every field that no other is named for."""


def fillers(
    fields: Sequence[Field[Any, Any]],
    rules: Mapping[str, Any],
    order: Sequence[Model],
) -> dict[Field[Any, Any], Model | None]:
    """For each field the row whose value the survivor takes, if it takes one.

    The survivor is the first of ``order``; the others follow as they are asked.
    """
    parts = lineage_of(type(order[0]))
    kept = {(part._meta.db_table, name) for part in parts for name in declared_decisive(part)}
    kept = {place for place in kept if place not in _named(fields, rules)}
    found = {
        field: _filler(field, order) if _is_filled(field, rules, kept) else None for field in fields
    }
    for one in (one for part in parts for one in together_in(part)):
        is_filled = all(rules.get(field.name, FILL) == FILL for field in one.fields)
        fixed = {field for field in one.fields if column_of(field) in one.shared}
        fixed |= {field for field in one.fields if _place(field) in kept}
        silent = {field for field in one.fields if field not in fixed}
        if not any(field.name in rules for field in one.fields):
            silent = {field for field in silent if not is_moment(field)}
        row = _whole_filler(one, order, fixed, silent) if is_filled else None
        found |= {field: None if field in fixed else row for field in one.fields if field in found}
    return found


def _place(field: Field[Any, Any]) -> tuple[str, str]:
    return field.model._meta.db_table, column_of(field)


def _named(
    fields: Sequence[Field[Any, Any]], rules: Mapping[str, Any]
) -> Collection[tuple[str, str]]:
    return [_place(field) for field in fields if field.name in rules]


def _is_filled(
    field: Field[Any, Any], rules: Mapping[str, Any], kept: Collection[tuple[str, str]]
) -> bool:
    """Whether a blank is filled: one that says something is so only where a rule says so."""
    if field.name in rules:
        return bool(rules[field.name] == FILL)
    return _place(field) not in kept and not is_moment(field)


def raw(field: Field[Any, Any], row: Model) -> Any:
    """A row's value of a field; of a foreign key what its column holds."""
    value = field.value_from_object(row)
    return bytes(value) if isinstance(value, memoryview) else value


def raw_values(field: Field[Any, Any], rows: Iterable[Model]) -> list[Any]:
    """The same for many rows."""
    is_plain = type(field).value_from_object is Field.value_from_object
    # of a large group there are a million: asked for by a method each, they take twice as long
    values = map(attrgetter(field.attname) if is_plain else field.value_from_object, rows)
    return [bytes(value) if isinstance(value, memoryview) else value for value in values]


def exact_text(value: Any) -> str:
    """A value, or several, as Python writes them; by what they hold where that is not all.

    Arrays write their middle as three dots, and an object without words of its own its address.
    """
    if type(value) in PLAIN:
        return repr(value)
    if not isinstance(value, list | tuple):
        return _exact_text(value)
    if PLAIN.issuperset(map(type, value)):
        return repr(value)  # of a large group there are a million
    return f"{type(value).__qualname__}({', '.join(map(exact_text, value))})"


def _exact_text(value: Any) -> str:
    kind: Any = type(value)
    told = ""
    try:
        if hasattr(kind, "tolist"):
            several = value.tolist()
            told = repr(several) if type(several) is kind else exact_text(several)
        elif kind.__repr__ is not object.__repr__:
            return repr(value)
    except Exception:  # a project's own values raise what they like
        told = ""
    return f"{kind.__qualname__}({told or _held(value)})"


def _held(value: Any) -> str:
    try:
        return repr(vars(value))
    except Exception:  # as above
        return ""


def differ(one: Any, other: Any) -> bool:
    """Whether two values are not the same; one that is no number is the same as another such."""
    try:
        return bool(one != other and not (one != one and other != other))  # NaN is told so
    except Exception:  # a project's own values raise what they like, as arrays do
        return exact_text(one) != exact_text(other)


def is_blank(field: Field[Any, Any], value: Any) -> bool:
    try:
        return value is None or (is_text(field) and bool(value == ""))
    except Exception:  # as above
        return False


def _filler(field: Field[Any, Any], order: Sequence[Model]) -> Model | None:
    """The row whose value the survivor takes, if it has none of its own that can stay."""
    kept, inside = raw(field, order[0]), _inside(field, order)
    points_inside = kept in inside
    if not is_blank(field, kept) and not points_inside:
        return None
    # a survivor that would point at itself takes first what its target pointed at
    asked = sorted(order, key=lambda row: points_inside and row.pk != kept)
    return next((row for row in asked if _can_fill(field, row, inside)), None)


def _can_fill(field: Field[Any, Any], row: Model, inside: Collection[Any]) -> bool:
    value = raw(field, row)
    return not is_blank(field, value) and value not in inside


def _inside(field: Field[Any, Any], rows: Sequence[Model]) -> Collection[Any]:
    """The values by which the field would point at one of the rows themselves."""
    if field.related_model not in type(rows[0]).__mro__:
        return ()
    target: Field[Any, Any] = field.target_field  # type: ignore[attr-defined]  # a foreign key's
    return frozenset(map(target.value_from_object, rows))


def _whole_filler(
    one: Together,
    order: Sequence[Model],
    fixed: Collection[Field[Any, Any]],
    silent: Collection[Field[Any, Any]],
) -> Model | None:
    """The first row that has what the survivor lacks, and the same where it lacks nothing."""
    survivor = order[0]
    lacking = {f: _inside(f, order) for f in silent if is_blank(f, raw(f, survivor))}
    for row in order[1:]:
        gains = any(_can_fill(field, row, inside) for field, inside in lacking.items())
        if gains and all(_agrees(one, f, survivor, row, fixed) for f in one.fields):
            return row
    return None


def _agrees(
    one: Together,
    field: Field[Any, Any],
    survivor: Model,
    row: Model,
    fixed: Collection[Field[Any, Any]],
) -> bool:
    """Whether the survivor says nothing in a field that the row does not say."""
    kept, column = raw(field, survivor), column_of(field)
    if not differ(kept, raw(field, row)):
        return True
    if field in fixed:
        return False
    if column in one.qualifiers:
        heads = [f for f in one.fields if column_of(f) in one.heads]
        if all(is_blank(head, raw(head, survivor)) for head in heads):
            return True
    return is_blank(field, kept) or not differ(kept, plain_default(field))
