"""Rows that a model's default manager hides, as soft deletion does. Reads no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OrderBy, OuterRef
from django.db.models.expressions import Col

from ..databases.caching import cached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, QuerySet


def shown_rows(model: type[Model], using: str) -> QuerySet[Any] | None:
    """The rows that the default manager shows; None if it shows all."""
    rows = _filtered(model)
    return None if rows is None else rows.using(using).order_by()


def live_first(model: type[Model], using: str) -> list[OrderBy]:
    """An ordering of the rows that the default manager shows before those that it hides."""
    rows = shown_rows(model, using)
    if rows is None:
        return []
    return [OrderBy(Exists(rows.filter(pk=OuterRef("pk"))), descending=True)]


@cached
def hiding_columns(model: type[Model]) -> frozenset[tuple[str, str]]:
    """Table and column of what decides whether the default manager shows a row."""
    rows = _filtered(model)
    return frozenset() if rows is None else frozenset(_columns(rows.query.where))


@cached
def _filtered(model: type[Model]) -> QuerySet[Any] | None:
    try:
        rows: QuerySet[Any] = model._default_manager.get_queryset()
    except Exception:  # it is the project's code, and may want a request or a tenant
        return None
    return rows if rows.query.where else None


def _columns(expression: Any) -> Iterator[tuple[str, str]]:
    if isinstance(expression, Col):
        yield expression.target.model._meta.db_table, str(expression.target.column)
    for part in getattr(expression, "children", None) or expression.get_source_expressions():
        if hasattr(part, "get_source_expressions"):
            yield from _columns(part)
