"""Any value of any field as JSON can hold it, without losing anything: for reports and the journal.

A field knows how to write its values as text and how to read them again: `value_to_string` and
`to_python`, as Django's serializers use them. What JSON has a type of its own for keeps that type.
"""

from __future__ import annotations

from base64 import b64encode
from copy import copy
from enum import Enum
from math import isfinite
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Model, QuerySet

from .keys import output_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .plan_values import HeldGroup, PlannedGroup
    from .values import MatchKey, RowSet

_BYTES = (bytes, bytearray, memoryview)


def plain_values(key: MatchKey | RowSet, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a match key, by its fields."""
    return {
        lookup: plain(value, output_field(key.model, lookup)) for lookup, value in values.items()
    }


def plain_key(model: type[Model], pk: Any) -> Any:
    """A primary key; a composite one as a list."""
    if isinstance(pk, tuple | list):
        fields = getattr(model._meta, "pk_fields", [None] * len(pk))
        return [plain(part, field) for part, field in zip(pk, fields, strict=True)]
    return plain(pk, model._meta.pk)


def plain_where(key: MatchKey) -> dict[str, Any]:
    """The conditions of a match key: rows by their keys, querysets and expressions in words."""
    return {lookup: plain(value) for lookup, value in key.where}


def plain_match_key(key: MatchKey) -> dict[str, Any]:
    """All of a match key but its model: two keys of a model are the same if this is."""
    return {
        "fields": list(key.fields),
        "nulls": str(key.nulls),
        "blanks": str(key.blanks),
        "where": plain_where(key),
    }


def plain_held(source: MatchKey | RowSet, group: HeldGroup) -> dict[str, Any]:
    """A group held back: its key values, its rows and the reason."""
    return {
        "values": plain_values(source, group.values),
        "rows": [plain_key(source.model, pk) for pk in group.rows],
        "reason": group.reason,
        "code": group.reason.code,
    }


def plain_group(source: MatchKey | RowSet, group: PlannedGroup) -> dict[str, Any]:
    """One of the largest groups of a plan."""
    model = source.model
    return {
        "values": plain_values(source, group.values),
        "survivor": plain_key(model, group.survivor),
        "duplicates": [plain_key(model, pk) for pk in group.duplicates],
        "rows": group.rows,
    }


def plain(value: Any, field: Any = None) -> Any:
    """A value of a field; of none where only the value is known."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part, getattr(field, "base_field", None)) for part in value]
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Model):
        return plain_key(type(value), value.pk)
    if isinstance(value, QuerySet):
        return _query(value)
    return _text(value, field)


def _query(rows: QuerySet[Any]) -> str:
    """What a queryset asks, without asking it: its rows may be many, and others by now."""
    try:
        sql = str(rows.query)
    except EmptyResultSet:
        sql = "no rows"
    return f"{rows.model._meta.label}: {sql}"


def _text(value: Any, field: Any) -> str:
    if isinstance(value, _BYTES):
        return b64encode(value).decode()
    if field is None:
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    # one of a transform belongs to no model, and has no name to be asked by
    named = copy(field)
    named.attname = named.name = "value"
    try:
        return str(named.value_to_string(SimpleNamespace(value=value)))
    except TypeError:  # of a class that speaks of other values than its own read
        return str(value)
