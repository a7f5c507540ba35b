"""The members of duplicate groups from lists of their keys, which one GROUP BY has collected.

Finding the rows by their values would take longer: MariaDB keeps the repeated values on disk and
looks into them for every row of the table, the others read the table once more. Builds SQL, and
only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet

from .common_tables import CommonTable, Joined, reading_from, with_tables
from .key_rows import collected, places, ranked
from .survivors import SurvivorRule, extreme_key, survivor_ordering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..values import MatchKey


def unpacked_places(
    database: Database, key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule
) -> tuple[str, Sequence[Any]]:
    """SQL for place, survivor's key and own key of every member.

    It finds nothing at all if any list would be too long for the server.
    """
    tables = _members(database, key, rows)
    extreme = extreme_key(survivor)
    if extreme is None:
        ordering = survivor_ordering(key.model, survivor, database.using)
        return places(_ranked(database, key, tables, ordering))
    direction = "DESC" if extreme is Max else "ASC"
    window = f"OVER (PARTITION BY dedupe_group ORDER BY dedupe_pk {direction})"
    return with_tables(
        tables,
        f"SELECT ROW_NUMBER() {window} - 1, FIRST_VALUE(dedupe_pk) {window}, dedupe_pk"
        " FROM dedupe_members",
    )


def _members(database: Database, key: MatchKey, rows: QuerySet[Any]) -> tuple[CommonTable, ...]:
    """Tables of which the last has the number of its group and the key of every member."""
    (pk,) = database.table(key.model).pk
    lists = CommonTable.of("dedupe_lists", collected(key, rows))
    # the largest group comes first: if any list is cut, then its. MAX() OVER () tells as much, in
    # a hundred times the time on MariaDB
    window = "OVER (ORDER BY dedupe_rows DESC)" if database.cuts_lists else "OVER ()"
    is_cut = f"FIRST_VALUE(dedupe_pks IS NULL) {window}" if database.cuts_lists else "0"
    numbered = CommonTable(
        name="dedupe_groups",
        sql=f"SELECT dedupe_pks, ROW_NUMBER() {window} AS dedupe_group,"
        f" {is_cut} AS dedupe_is_cut FROM {lists.name}",
    )
    members = CommonTable(
        name="dedupe_members",
        sql=f"SELECT g.dedupe_group, j.value AS dedupe_pk FROM {numbered.name} g,"
        f" {database.unpacked('g.dedupe_pks', pk)} j WHERE g.dedupe_is_cut = 0",
    )
    return lists, numbered, members


def _ranked(
    database: Database, key: MatchKey, tables: tuple[CommonTable, ...], ordering: list[Any]
) -> Joined:
    """The members' rows, which an ordering by other columns than the key needs."""
    members = tables[-1]
    found: QuerySet[Any] = QuerySet(key.model, using=database.using).order_by()
    found = reading_from(members, found).filter(pk=members.column("dedupe_pk"))
    return Joined(rows=ranked(found, [members.column("dedupe_group")], ordering), tables=tables)
