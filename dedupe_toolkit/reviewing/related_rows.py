"""The rows that others point at, read for a page that names them. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import router
from django.db.models import Prefetch, prefetch_related_objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model


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
            prefetch_related_objects(waiting, Prefetch(field.name, related))
