"""The rows of duplicate groups by a join with the groups, which stand in a table of their own.

For databases that hash the values joined by. The groups are numbered, so that what follows need
not sort or compare the values again. Builds SQL, and only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Window
from django.db.models.functions import RowNumber

from ..values import MatchKey, Nulls
from .common_tables import CommonTable, Joined, reading_from
from .key_rows import key_columns, ranked, repeated

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ..databases import Database


def are_joined(database: Database | type[Database], key: MatchKey) -> bool:
    """Whether that is faster here; a NULL equals nothing in a join."""
    return database.hashes_joins and key.nulls is not Nulls.EQUAL


def groups_of(key: MatchKey, rows: QuerySet[Any], **columns: Any) -> CommonTable:
    """The key values that more than one row has, with these columns beside them."""
    # or each parallel worker answers the whole query once more, for itself
    return CommonTable.of("dedupe_groups", repeated(key, rows).annotate(**columns), is_kept=True)


def beside(groups: CommonTable, key: MatchKey, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that have a group, each beside its group."""
    same = {column: groups.column(column) for column in key_columns(key)}
    return reading_from(groups, rows).filter(**same)


def joined_members(key: MatchKey, rows: QuerySet[Any], ordering: list[Any]) -> Joined:
    """The ranked rows of duplicate groups."""
    groups = groups_of(key, rows, dedupe_group=Window(RowNumber()))
    found = beside(groups, key, rows)
    return Joined(rows=ranked(found, [groups.column("dedupe_group")], ordering), tables=(groups,))
