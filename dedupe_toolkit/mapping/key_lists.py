"""The members of duplicate groups from lists of their keys, which one GROUP BY has collected.

Finding the rows by their values would take longer: MariaDB keeps the repeated values on disk and
looks into them for every row of the table, the others read the table once more. Builds SQL, and
only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max, Min, QuerySet

from ..databases.common_tables import CommonTable, Joined, reading_from, with_tables
from ..finding.key_rows import collected, places, ranked
from ..finding.survivor_rules import SurvivorRule, extreme_key, survivor_ordering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..values import MatchKey


def unpacked_places(
    database: Database, key: MatchKey, rows: QuerySet[Any], survivor: SurvivorRule
) -> tuple[str, Sequence[Any]]:
    """SQL for the group's number, place, survivor's key and own key of every member.

    It finds nothing at all if any list would be too long for the server.
    """
    extreme = extreme_key(key.model, survivor)
    groups = collected(key, rows, extreme or Min).values("dedupe_pks", "dedupe_first")
    tables = _members(database, key, groups)
    if extreme is None:
        ordering = survivor_ordering(key.model, survivor, database.using)
        return places(_ranked(database, key, tables, ordering))
    direction = "DESC" if extreme is Max else "ASC"
    window = f"OVER (PARTITION BY dedupe_first ORDER BY dedupe_pk {direction})"
    return with_tables(
        tables,
        f"SELECT dedupe_group, ROW_NUMBER() {window} - 1, dedupe_first, dedupe_pk"
        f" FROM {tables[-1].name}",
    )


def _members(database: Database, key: MatchKey, groups: QuerySet[Any]) -> tuple[CommonTable, ...]:
    """Tables of which the last has, of every member, its key, and its group's number and first.

    The groups are numbered in the order of their first.
    """
    (pk,) = database.table(key.model).pk
    lists = CommonTable.of("dedupe_lists", groups)
    window, is_cut = "OVER (ORDER BY dedupe_first)", "0"
    if database.cuts_lists:
        # lists that are cut come first, so the first tells whether there are any. MAX() OVER ()
        # tells as much, in a hundred times the time on MariaDB
        window = "OVER (ORDER BY dedupe_pks IS NULL DESC, dedupe_first)"
        is_cut = f"FIRST_VALUE(dedupe_pks IS NULL) {window}"
    numbered = CommonTable(
        name="dedupe_groups",
        sql=f"SELECT dedupe_pks, dedupe_first, ROW_NUMBER() {window} AS dedupe_group,"
        f" {is_cut} AS dedupe_is_cut FROM {lists.name}",
    )
    members = CommonTable(
        name="dedupe_members",
        sql=f"SELECT g.dedupe_group, g.dedupe_first, j.value AS dedupe_pk FROM {numbered.name} g,"
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
