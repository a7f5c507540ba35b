"""Field rules in Python: calls a project's function for every group. Reads users' rows."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.db.models import QuerySet

from ..databases.tables import python_key
from ..errors import InvalidOption
from ..values import rule_name
from .fillers import differ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Field

    from ..databases import Database
    from ..mapping.mapping import MergeMap


def called_values(
    database: Database,
    mapping: MergeMap,
    field: Field[Any, Any],
    function: Callable[[list[Any]], Any],
) -> Iterator[list[Any]]:
    """Each survivor whose value changes: its key and its new value, as the database takes them.

    Raises `InvalidOption` when the function raises, or returns what the field cannot hold, and
    when a value that it is to be given cannot be read.
    """
    for survivor, values in _groups(database, mapping, field, function):
        new = _called(field, function, values)
        if differ(new, values[0]):
            yield [*survivor, field.get_db_prep_save(new, database.connection)]


def _groups(
    database: Database,
    mapping: MergeMap,
    field: Field[Any, Any],
    function: Callable[[list[Any]], Any],
) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """The key of each survivor, and the values of its group's rows, its own first."""
    width = len(mapping.survivors)
    survivors, members = (
        database.qualified("m", side) for side in (mapping.survivors, mapping.members)
    )
    rows = database.fetch(
        f"SELECT {', '.join(survivors + members)} FROM {database.q(mapping.name)} m"
        f" ORDER BY {', '.join(survivors)}, m.place"
    )
    for survivor, group in groupby(rows, key=lambda row: row[:width]):
        keys = [python_key(field.model, row[width:], database.using) for row in group]
        held = _read(field, function, keys, database.using)
        # a row may have no part in the table of a multi-table child
        if keys[0] in held and len(held) > 1:
            yield survivor, [held[key] for key in keys if key in held]


def _read(
    field: Field[Any, Any], function: Callable[[list[Any]], Any], keys: list[Any], using: str
) -> dict[Any, Any]:
    try:
        return _values(field, keys, using)
    except DatabaseError:
        raise
    except Exception as error:  # fields of a project raise what they like
        raise InvalidOption(
            f"{field.model._meta.label}.{field.name}: the field rule {rule_name(function)} cannot"
            f" be given the values of rows {', '.join(map(str, keys))[:200]}: reading them raised"
            f" {type(error).__name__}: {error}; correct them, or name another rule"
        ) from error


def _values(field: Field[Any, Any], keys: list[Any], using: str) -> dict[Any, Any]:
    rows: QuerySet[Any] = QuerySet(field.model, using=using).filter(pk__in=keys).order_by()
    return {
        pk: bytes(value) if isinstance(value, memoryview) else value
        for pk, value in rows.values_list("pk", field.name)
    }


def _called(field: Field[Any, Any], function: Callable[[list[Any]], Any], values: list[Any]) -> Any:
    name = f"{field.model._meta.label}.{field.name}: the field rule {rule_name(function)}"
    given = f"for {values!r:.200}"
    try:
        new = function(list(values))
    except Exception as error:  # a function of the project's: it may raise anything
        raise InvalidOption(
            f"{name} raised {type(error).__name__} {given}: {error};"
            " correct it, or name another rule"
        ) from error
    try:
        return new if _is_sound(field, new, values) else field.clean(new, None)
    except ValidationError as error:
        raise InvalidOption(
            f"{name} returned {new!r:.200} {given}: {' '.join(error.messages)}"
        ) from error


def _is_sound(field: Field[Any, Any], new: Any, values: list[Any]) -> bool:
    """Whether the column takes the value, whatever forms say of it: one of the rows has it."""
    return any(new is value for value in values) or (new is None and field.null)
