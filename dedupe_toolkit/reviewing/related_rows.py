"""The rows that others point at, read for a page that names them. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, router
from django.db.models import Prefetch, prefetch_related_objects

from .unreadable import Unreadable, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model, QuerySet


def read_related(rows: Sequence[Model]) -> None:
    """Let rows of one model know the rows that they point at. A statement for each foreign key.

    Read where they are written: a router may send what is read to a replica, which need not know
    yet of a row that was made a moment ago.
    """
    fields: Sequence[Any] = rows[0]._meta.concrete_fields if rows else ()
    for field in fields:
        waiting = [row for row in rows if field.is_relation and _is_waiting(field, row)]
        if waiting:
            using = router.db_for_write(field.related_model, instance=rows[0])
            related = field.related_model._base_manager.using(using)
            try:
                prefetch_related_objects(waiting, Prefetch(field.name, related))
            except DatabaseError:
                raise
            except Exception:  # fields of a project raise what they like
                _read_what_can_be(field, waiting, related)


def row_or_held(field: Field[Any, Any], row: Model, held: Any) -> Any:
    """What a field holds; of a foreign key the row that it points at, where that is there."""
    if not field.is_relation or held is None or isinstance(held, Unreadable):
        return held
    # the related row may be missing where the database does not check the key
    return getattr(row, field.name, held)


def _is_waiting(field: Any, row: Model) -> bool:
    return not field.is_cached(row) and not isinstance(getattr(row, field.attname), Unreadable)


def _read_what_can_be(field: Any, waiting: Sequence[Model], related: QuerySet[Any]) -> None:
    """The same where a value of them cannot be read."""
    target = field.target_field
    keys = {getattr(row, field.attname) for row in waiting}
    rows = read_rows(related.filter(**{f"{target.name}__in": keys}))
    found = {getattr(row, target.attname): row for row in rows}
    for row in waiting:
        if (one := found.get(getattr(row, field.attname))) is not None:
            field.set_cached_value(row, one)
