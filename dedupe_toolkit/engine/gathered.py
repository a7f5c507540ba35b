"""Duplicate groups with the keys of all their rows as one list: a row of the answer is a group.

For primary keys that are whole numbers, and survivors known by them. Under any other survivor
rule the database has to sort the members by their values, and then by the rule. Only reads.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.db.models import Count, IntegerField, QuerySet, Sum, TextField, Window

from ..databases import Database, database, dialect_of
from ..databases.collecting import CollectedKeys
from ..values import DuplicateGroup, FoundDuplicates
from .common_tables import CommonTable, Joined, reading_from
from .joined import are_joined, beside, groups_of
from .key_rows import are_numbered, collected, key_columns
from .survivors import extreme_key

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..values import MatchKey
    from .survivors import SurvivorRule


def can_gather(key: MatchKey, survivor: SurvivorRule, using: str) -> bool:
    """Whether `gathered_duplicates` knows this model, survivor rule and database."""
    is_known = dialect_of(using) is not Database
    return is_known and are_numbered(key.model) and extreme_key(survivor) is not None


def gathered_duplicates(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    """The totals, and the largest groups: all of them if ``limit`` is None."""
    listed, width = [], len(key.fields)
    with _joining(key, rows):
        found = _survivors(key, rows, survivor, limit).fetch()
    for keys, (_, *values) in zip(_parsed(found), found, strict=True):
        held = dict(zip(key.fields, values[:width], strict=True))
        # a group that is too large to be collected is read by itself
        keys = _members(key, rows, held) if keys is None else keys
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
    tables = _lists(key, rows, survivor)
    lists = tables[-1]
    size = lists.column("dedupe_rows", IntegerField())
    # MariaDB would write all groups down once more for them
    totals = [] if limit is None else [Window(Count("*")), Window(Sum(size))]
    found = (
        reading_from(lists, rows)
        .filter(pk=lists.column("dedupe_survivor"))
        .annotate(dedupe_pks=lists.column("dedupe_pks", TextField()))
        .order_by(size.desc(), "pk")
        .values_list("dedupe_pks", *key_columns(key), *totals)
    )
    return Joined(tables=tables, rows=found[:limit])


def _parsed(found: list[tuple[Any, ...]]) -> Any:
    """The lists that the groups begin with, of JSON, parsed in one go."""
    return json.loads(f"[{','.join(row[0] or 'null' for row in found)}]")


def _lists(key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule) -> tuple[CommonTable, ...]:
    """Tables of which the last has each group's keys, their number, and the survivor's."""
    extreme: Any = extreme_key(survivor)
    if not are_joined(dialect_of(rows.db), key):
        groups = collected(key, rows).annotate(dedupe_survivor=extreme("pk"))
        return (CommonTable.of("dedupe_lists", groups),)
    # the rows of few groups are collected by number, where those of all would be sorted by value
    kept = groups_of(key, rows, dedupe_survivor=extreme("pk"))
    named = beside(kept, key, rows).annotate(dedupe_survivor=kept.column("dedupe_survivor"))
    lists = named.values("dedupe_survivor").annotate(
        dedupe_rows=Count("*"), dedupe_pks=CollectedKeys("pk")
    )
    return kept, CommonTable.of("dedupe_lists", lists)


def _joining(key: MatchKey, rows: QuerySet[Any]) -> AbstractContextManager[None]:
    if are_joined(dialect_of(rows.db), key):
        return database(rows.db).hashing_joins()
    return nullcontext()


def _members(key: MatchKey, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
    """The keys of the rows with these values."""
    same = dict(zip(key_columns(key), values.values(), strict=True))
    filled = {column: value for column, value in same.items() if value is not None}
    blank = {f"{column}__isnull": True for column in same if column not in filled}
    return rows.filter(**filled, **blank).values_list("pk", flat=True)
