"""The members of duplicate groups from lists of their keys, which one GROUP BY has collected.

For databases that find rows by their values slowly: MariaDB keeps the repeated values on disk and
looks into them for every row of the table. Builds SQL, and only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F, Max, QuerySet, Window
from django.db.models.functions import RowNumber

from .common_tables import CommonTable, Joined, reading_from
from .key_rows import are_numbered, collected, ranked, repeated

if TYPE_CHECKING:
    from ..databases import Database
    from ..values import MatchKey


def unpacks(database: Database, key: MatchKey, rows: QuerySet[Any]) -> bool:
    """Whether that is faster here, and no group among the rows is too large for a list."""
    longest = database.longest_list() if are_numbered(key.model) else 0
    if not longest:
        return False
    largest = repeated(key, rows).aggregate(largest=Max("dedupe_rows"))["largest"]
    return bool(largest and largest <= longest)


def unpacked_members(
    database: Database, key: MatchKey, rows: QuerySet[Any], ordering: list[Any]
) -> Joined:
    """The ranked rows of duplicate groups."""
    (pk,) = database.table(key.model).pk
    lists = collected(key, rows).annotate(dedupe_group=Window(RowNumber()))
    groups = CommonTable.of("dedupe_lists", lists)
    members = CommonTable(
        name="dedupe_members",
        sql=f"SELECT g.dedupe_group, j.member FROM {groups.name} g,"
        f" {database.unpacked('g.dedupe_pks', pk)} j",
    )
    found: QuerySet[Any] = QuerySet(key.model, using=database.using).order_by()
    found = reading_from(members, found).filter(pk=members.column("member"))
    found = found.annotate(dedupe_group=members.column("dedupe_group"))
    return Joined(rows=ranked(found, [F("dedupe_group")], ordering), tables=(groups, members))
