"""The values of a match key as people read and search them. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from ..keys import key_field, output_field
from ..reviewing.unreadable import read_rows
from ..verbose import row_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..values import MatchKey

EMPTY = "—"
"""Stands for a value that is not there."""


def readable(key: MatchKey, values: Mapping[Any, Mapping[str, Any]], using: str) -> dict[Any, str]:
    """The key values of each group on one line: related rows by their names, choices by labels.

    One statement for each foreign key among the key's fields.
    """
    names = {lookup: _names(key, lookup, _held(values, lookup), using) for lookup in key.fields}
    return {
        group: ", ".join(_shown(held[lookup], names[lookup]) for lookup in key.fields)
        for group, held in values.items()
    }


def _held(values: Mapping[Any, Mapping[str, Any]], lookup: str) -> set[Any]:
    return {held[lookup] for held in values.values() if _is_hashable(held[lookup])}


def _names(key: MatchKey, lookup: str, held: Iterable[Any], using: str) -> dict[Any, str]:
    """What people call values of the key field."""
    field: Any = key_field(key.model, lookup)
    if "__" in lookup:
        field = output_field(key.model, lookup)
    if field.is_relation:
        target = field.target_field
        rows: QuerySet[Any] = QuerySet(target.model, using=using)
        found = read_rows(rows.filter(**{f"{target.name}__in": held}))
        return {getattr(row, target.attname): row_words(row) for row in found}
    return {value: str(label) for value, label in field.flatchoices}


def _shown(value: Any, names: Mapping[Any, str]) -> str:
    if value is None:
        return EMPTY
    if _is_hashable(value) and value in names:
        return names[value]
    if isinstance(value, str) and (not value or value != value.strip()):
        return f"“{value}”"
    return str(value)


def _is_hashable(value: Any) -> bool:
    return not isinstance(value, dict | list)
