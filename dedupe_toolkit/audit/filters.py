"""The conditions that a queryset carries before a call: those that ``get()`` alone reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .values import Given

if TYPE_CHECKING:
    from collections.abc import Container

    from django.db.models import QuerySet


def filters_of(
    queryset: QuerySet[Any], *, known: Container[str] = ()
) -> tuple[dict[str, Given], tuple[str, ...]]:
    """The look-ups that a queryset is filtered by, and texts of conditions that are no look-ups.

    ``known`` are look-ups to leave out: those that a related manager itself puts on the queryset
    and gives to ``create()`` as well. Builds no SQL and asks no database.
    """
    query = queryset.query
    own = {query.get_initial_alias(), *_parents(queryset)}
    filters: dict[str, Given] = {}
    others: list[str] = []
    if query.where.negated or (query.where.connector != "AND" and len(query.where.children) > 1):
        others.append("a condition with OR or NOT")
    else:
        for condition in query.where.children:
            lookup = _lookup(condition, own)
            if lookup is None:
                others.append("a condition that is no look-up")
            elif lookup[0] not in known:
                filters[lookup[0]] = lookup[1]
    if query.is_sliced or query.distinct_fields or query.combinator:
        others.append("a slice, a union or DISTINCT ON")
    return filters, tuple(others)


def _parents(queryset: QuerySet[Any]) -> set[str]:
    """The aliases of multi-table parents, whose columns are the model's as well."""
    tables = {parent._meta.db_table for parent in queryset.model._meta.get_parent_list()}
    joins = queryset.query.alias_map
    return {alias for alias, join in joins.items() if join.table_name in tables}


def _lookup(condition: Any, aliases: Container[str]) -> tuple[str, Given] | None:
    """A condition on one column of the model, as a keyword argument would say it."""
    column = getattr(condition, "lhs", None)
    target = getattr(column, "target", None)
    if target is None or getattr(column, "alias", None) not in aliases:
        return None
    compared = condition.lookup_name
    name = target.name if compared == "exact" else f"{target.name}__{compared}"
    return name, Given.of(condition.rhs)
