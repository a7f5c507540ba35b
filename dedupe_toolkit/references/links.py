"""The tables that many-to-many relations go through. Reads models only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import ManyToManyField

from ..databases.caching import cached
from .meta import column_of

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.models import Model


def ends_of(through: type[Model]) -> tuple[tuple[str, str], ...]:
    """The columns of the two ends of every many-to-many relation that goes through a table."""
    return tuple(
        (column_of(through._meta.get_field(start)), column_of(through._meta.get_field(end)))
        for start, end in _by_through(through._meta.apps).get(through, ())
    )


@cached
def _by_through(apps: Apps) -> dict[type[Model], list[tuple[str, str]]]:
    """The names of the fields at the two ends of all many-to-many relations."""
    found: dict[type[Model], list[tuple[str, str]]] = {}
    for model in apps.get_models():
        for field in model._meta.local_many_to_many:
            # taggit's manager passes for such a field, but its table is no link of two rows
            if isinstance(field, ManyToManyField):
                ends = field.m2m_field_name(), field.m2m_reverse_field_name()
                through: Any = field.remote_field.through
                found.setdefault(through, []).append(ends)
    return found
