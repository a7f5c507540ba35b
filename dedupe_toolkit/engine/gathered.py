"""Duplicate groups with all their rows from one GROUP BY: each row of the answer is a group.

For primary keys that are whole numbers, and survivors known by them. Under any other survivor
rule the database has to sort the members by their values, and then by the rule. Only reads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Count, IntegerField, Max, Min, QuerySet, Sum, TextField, Window

from ..databases import Database, dialect_of
from ..values import DuplicateGroup, FoundDuplicates, Nulls
from .common_tables import CommonTable, Joined, reading_from
from .key_rows import Rows, are_numbered, collected, key_columns, repeated, row_in

if TYPE_CHECKING:
    from ..values import MatchKey
    from .survivors import SurvivorRule

_EXTREMES: dict[SurvivorRule, type[Min] | type[Max]] = {"oldest": Min, "newest": Max}


def can_gather(key: MatchKey, survivor: SurvivorRule, using: str) -> bool:
    """Whether `gathered_duplicates` knows this model, survivor rule and database."""
    is_by_key = isinstance(survivor, str) and survivor in _EXTREMES
    return is_by_key and are_numbered(key.model) and dialect_of(using) is not Database


def gathered_duplicates(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    """The totals, and the largest groups: all of them if ``limit`` is None."""
    found = _survivors(key, rows, survivor, limit).fetch()
    groups, members = found[0][:2] if found else (0, 0)
    is_newest, listed = survivor == "newest", []
    for _, _, pks, *values in found:
        # a group that is too large to be collected is read by itself
        keys = _members(key, rows, values) if pks is None else json.loads(pks)
        first, *others = sorted(keys, reverse=is_newest)
        held = dict(zip(key.fields, values, strict=True))
        group = DuplicateGroup(values=held, survivor=first, duplicates=tuple(others))
        listed.append(group)
    return FoundDuplicates(
        key=key, groups=groups, rows=int(members), duplicate_groups=tuple(listed)
    )


def _survivors(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> Joined:
    """The number of groups and of their rows; of each group its keys and its survivor's values."""
    collecting = collected(_narrowed(key, rows), key_columns(key))
    pk = _EXTREMES[survivor]("pk")
    groups = CommonTable.of("dedupe_groups", collecting.annotate(dedupe_survivor=pk))
    size = groups.column("dedupe_rows", IntegerField())
    found = (
        reading_from(groups, rows)
        .filter(pk=groups.column("dedupe_survivor"))
        .annotate(
            dedupe_groups=Window(Count("*")),
            dedupe_members=Window(Sum(size)),
            dedupe_pks=groups.column("dedupe_pks", TextField()),
        )
        .order_by(size.desc(), "pk")
    )
    values = ("dedupe_groups", "dedupe_members", "dedupe_pks", *key_columns(key))
    return Joined(tables=(groups,), rows=found.values_list(*values)[:limit])


def _narrowed(key: MatchKey, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows, and only those with duplicates where collecting would sort all the others."""
    # a row of values with a NULL among them is never found by IN
    if not dialect_of(rows.db).collects_by_sorting or key.nulls is Nulls.EQUAL:
        return rows
    columns = key_columns(key)
    return rows.filter(row_in(columns, Rows(repeated(key, rows).values(*columns))))


def _members(key: MatchKey, rows: QuerySet[Any], values: list[Any]) -> QuerySet[Any]:
    """The keys of the rows with these values."""
    same = dict(zip(key_columns(key), values, strict=True))
    filled = {column: value for column, value in same.items() if value is not None}
    blank = {f"{column}__isnull": True for column in same if column not in filled}
    return rows.filter(**filled, **blank).values_list("pk", flat=True)
