"""How many rows of other tables point at each of some rows, for a page. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import router
from django.db.models import Count, QuerySet, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model


@dataclass(frozen=True, kw_only=True)
class RowCount:
    """How many rows of ``model`` point at each of the rows, by their primary keys."""

    model: type[Model]
    field: str
    rows: dict[Any, int]

    @property
    def reference(self) -> str:
        """The label of the foreign key, as a plan's counts have it."""
        return f"{self.model._meta.label}.{self.field}"


def row_counts(model: type[Model], pks: Sequence[Any], using: str) -> tuple[RowCount, ...]:
    """The rows that reference each of these rows by a foreign key, in one statement.

    References of other kinds are not counted, nor those to a field beside the primary key.
    """
    asked = [
        (referrer, name)
        for referrer, name in _references(model)
        if router.allow_migrate_model(using, referrer)
    ]
    if not asked:
        return ()
    first, *others = (
        QuerySet(referrer, using=using)
        .filter(**{f"{name}__in": pks})
        .order_by()
        .values_list(Value(number), name)
        .annotate(total=Count("*"))
        for number, (referrer, name) in enumerate(asked)
    )
    found: dict[int, dict[Any, int]] = {}
    # of a union the first model's own ordering would come back
    rows = first.union(*others, all=True).order_by() if others else first
    for number, pk, total in rows:
        found.setdefault(number, {})[pk] = total
    return tuple(
        RowCount(model=referrer, field=name, rows=found[number])
        for number, (referrer, name) in enumerate(asked)
        if number in found
    )


def _references(model: type[Model]) -> Iterator[tuple[type[Model], str]]:
    """The foreign keys to the primary key of a model, those of automatic link tables included."""
    if len(model._meta.pk_fields) > 1:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        field: Any = getattr(relation, "field", None)
        is_reverse = relation.auto_created and not relation.concrete
        if is_reverse and (relation.one_to_many or relation.one_to_one):
            is_parent_link = getattr(field.remote_field, "parent_link", False)
            if field.target_field.primary_key and not is_parent_link and field.model._meta.managed:
                yield field.model, field.name
