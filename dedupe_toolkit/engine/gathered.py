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
from .key_rows import are_numbered, collected, key_columns, repeating

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
    listed, width = [], len(key.fields)
    found = _survivors(key, rows, survivor, limit).fetch()
    for pks, *values in found:
        held = dict(zip(key.fields, values[:width], strict=True))
        # a group that is too large to be collected is read by itself
        keys = _members(key, rows, held) if pks is None else json.loads(pks)
        first, *others = sorted(keys, reverse=survivor == "newest")
        listed.append(DuplicateGroup(values=held, survivor=first, duplicates=tuple(others)))
    if limit is None:
        groups, members = len(listed), sum(group.rows for group in listed)
    else:
        groups, members = found[0][-2:] if found else (0, 0)
    return FoundDuplicates(
        key=key, groups=groups, rows=int(members), duplicate_groups=tuple(listed)
    )


def _survivors(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> Joined:
    """Each group's keys and its survivor's values; if limited, the totals beside every group."""
    collecting = collected(key, _narrowed(key, rows))
    pk = _EXTREMES[survivor]("pk")
    groups = CommonTable.of("dedupe_groups", collecting.annotate(dedupe_survivor=pk))
    size = groups.column("dedupe_rows", IntegerField())
    # MariaDB would write all groups down once more for them
    totals = [] if limit is None else [Window(Count("*")), Window(Sum(size))]
    found = (
        reading_from(groups, rows)
        .filter(pk=groups.column("dedupe_survivor"))
        .annotate(dedupe_pks=groups.column("dedupe_pks", TextField()))
        .order_by(size.desc(), "pk")
        .values_list("dedupe_pks", *key_columns(key), *totals)
    )
    return Joined(tables=(groups,), rows=found[:limit])


def _narrowed(key: MatchKey, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows, and only those with duplicates where collecting would sort all the others."""
    if not dialect_of(rows.db).collects_by_sorting or key.nulls is Nulls.EQUAL:
        return rows
    return repeating(key, rows)


def _members(key: MatchKey, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
    """The keys of the rows with these values."""
    same = dict(zip(key_columns(key), values.values(), strict=True))
    filled = {column: value for column, value in same.items() if value is not None}
    blank = {f"{column}__isnull": True for column in same if column not in filled}
    return rows.filter(**filled, **blank).values_list("pk", flat=True)
