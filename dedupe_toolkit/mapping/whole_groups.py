"""Whole groups of a mapping: counted, copied, moved, numbered anew, taken out.

Writes work tables only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .mapping import MergeMap, create, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database


def count_groups(database: Database, mapping: MergeMap) -> int:
    table = database.q(mapping.name)
    return int(database.value(f"SELECT COUNT(*) FROM {table} WHERE place = 0"))


def count_members(database: Database, mapping: MergeMap) -> tuple[int, int]:
    """How many groups a mapping has, and how many duplicates."""
    survivors, all_members = "SUM(CASE WHEN place = 0 THEN 1 ELSE 0 END)", "COUNT(*)"
    ((groups, members),) = database.fetch(
        f"SELECT COALESCE({survivors}, 0), {all_members} FROM {database.q(mapping.name)}"
    )
    return int(groups), int(members) - int(groups)


def copy_groups(
    database: Database, mapping: MergeMap, name: str, where: str, params: Sequence[Any] = ()
) -> MergeMap:
    """A new mapping ``name`` with the groups of another that a condition selects."""
    copy = create(database, replace(mapping, name=name, values={}))
    rows = _add(database, mapping, copy, where, params)
    settle(database, copy, rows)
    return copy


def move_groups(database: Database, mapping: MergeMap, target: MergeMap, where: str) -> None:
    """Move the groups that a condition selects into another mapping of the same shape."""
    _add(database, mapping, target, where)
    drop_groups(database, mapping, where)


def _add(
    database: Database,
    mapping: MergeMap,
    target: MergeMap,
    where: str,
    params: Sequence[Any] = (),
) -> int:
    columns = ["group_number", "place", *mapping.members, *mapping.survivors, *mapping.texts]
    listed = ", ".join(map(database.q, columns))
    return database.run(
        f"INSERT INTO {database.q(target.name)} ({listed})"
        f" SELECT {listed} FROM {database.q(mapping.name)} WHERE {where}",
        params,
    )


def renumber(database: Database, mapping: MergeMap, numbers: Sequence[int], first: int) -> None:
    """Give some groups new numbers that no group has: in this order, from the first one on."""
    table = database.q(mapping.name)
    for new, old in enumerate(numbers, start=first):
        sql = f"UPDATE {table} SET group_number = %s WHERE group_number = %s"
        database.run(sql, [new, old])


def drop_groups(
    database: Database, mapping: MergeMap, where: str, params: Sequence[Any] = ()
) -> None:
    """Take groups out of a mapping."""
    database.run(f"DELETE FROM {database.q(mapping.name)} WHERE {where}", params)
