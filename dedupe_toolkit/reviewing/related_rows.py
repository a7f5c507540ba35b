"""The rows that others point at, read for a page that names them. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, router
from django.db.models import Prefetch, prefetch_related_objects

from .unreadable import read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet


def read_related(rows: Sequence[Model]) -> None:
    """Let rows of one model know the rows that they point at. A statement for each foreign key.

    Read where they are written: a router may send what is read to a replica, which need not know
    yet of a row that was made a moment ago.
    """
    fields: Sequence[Any] = rows[0]._meta.concrete_fields if rows else ()
    for field in fields:
        waiting = [row for row in rows if field.is_relation and not field.is_cached(row)]
        if waiting:
            using = router.db_for_write(field.related_model, instance=rows[0])
            related = field.related_model._base_manager.using(using)
            try:
                prefetch_related_objects(waiting, Prefetch(field.name, related))
            except DatabaseError:
                raise
            except Exception:  # fields of a project raise what they like
                _read_what_can_be(field, waiting, related)


def _read_what_can_be(field: Any, waiting: Sequence[Model], related: QuerySet[Any]) -> None:
    """The same where a value of them cannot be read."""
    target = field.target_field
    keys = {getattr(row, field.attname) for row in waiting}
    rows = read_rows(related.filter(**{f"{target.name}__in": keys}))
    found = {getattr(row, target.attname): row for row in rows}
    for row in waiting:
        if (one := found.get(getattr(row, field.attname))) is not None:
            field.set_cached_value(row, one)
