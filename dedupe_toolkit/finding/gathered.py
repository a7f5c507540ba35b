"""Duplicate groups with the keys of all their rows as one list: a row of the answer is a group.

For primary keys that are whole numbers, and survivors known by them. Under any other survivor
rule the database has to sort the members by their values, and then by the rule. Only reads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, IntegerField, QuerySet, Sum, TextField, Window

from ..databases import Database, database, dialect_of
from ..databases.collecting import ListedKeys
from ..databases.common_tables import CommonTable, Joined, reading_from
from ..databases.tables import are_numbered
from ..keys import key_field
from ..references.meta import column_of
from ..values import DuplicateGroup, FoundDuplicates
from .key_rows import collected, key_columns
from .survivor_rules import extreme_key

if TYPE_CHECKING:
    from ..values import MatchKey
    from .survivor_rules import SurvivorRule


def can_gather(key: MatchKey, survivor: SurvivorRule, using: str) -> bool:
    """Whether `gathered_duplicates` knows this model, survivor rule and database."""
    is_known = dialect_of(using) is not Database
    return is_known and are_numbered(key.model) and extreme_key(key.model, survivor) is not None


def gathered_duplicates(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> FoundDuplicates:
    """The totals, and the largest groups: all of them if ``limit`` is None."""
    known, listed, width = database(rows.db), [], len(key.fields)
    is_plain = limit is None and _are_alike(known, key)
    read = _values(key, rows, survivor) if is_plain else _survivors(key, rows, survivor, limit)
    with known.hashing_groups():
        found = read.fetch()
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


def _are_alike(known: Database, key: MatchKey) -> bool:
    """Whether it makes no difference from which row of a group its values are read."""
    fields = [key_field(key.model, lookup) for lookup in key.fields]
    return all(known.alike_if_equal(known.table(f.model).column(column_of(f))) for f in fields)


def _values(key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule) -> Joined:
    """Each group's keys and values."""
    lists = collected(key, rows, extreme_key(key.model, survivor))
    lists = lists.annotate(dedupe_listed=ListedKeys(F("dedupe_pks")))
    ordered = lists.order_by("-dedupe_rows", "dedupe_first")
    return Joined(rows=ordered.values_list("dedupe_listed", *key_columns(key)))


def _survivors(
    key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule, limit: int | None
) -> Joined:
    """Each group's keys and its survivor's values; if limited, the totals beside every group."""
    lists = CommonTable.of("dedupe_lists", collected(key, rows, extreme_key(key.model, survivor)))
    size = lists.column("dedupe_rows", IntegerField())
    # MariaDB would write all groups down once more for them
    totals = [] if limit is None else [Window(Count("*")), Window(Sum(size))]
    found = (
        reading_from(lists, rows)
        .filter(pk=lists.column("dedupe_first"))
        .annotate(dedupe_pks=ListedKeys(lists.column("dedupe_pks", TextField())))
        .order_by(size.desc(), "pk")
        .values_list("dedupe_pks", *key_columns(key), *totals)
    )
    return Joined(tables=(lists,), rows=found[:limit])


def _parsed(found: list[tuple[Any, ...]]) -> Any:
    """The lists that the groups begin with, of JSON, parsed in one go."""
    return json.loads(f"[{','.join(row[0] or 'null' for row in found)}]")


def _members(key: MatchKey, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
    """The keys of the rows with these values."""
    same = dict(zip(key_columns(key), values.values(), strict=True))
    filled = {column: value for column, value in same.items() if value is not None}
    blank = {f"{column}__isnull": True for column in same if column not in filled}
    return rows.filter(**filled, **blank).values_list("pk", flat=True)
