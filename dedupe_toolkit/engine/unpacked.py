"""The members of duplicate groups from lists of their keys, which one GROUP BY has collected.

For databases that find rows by their values slowly: MariaDB keeps the repeated values on disk and
looks into them for every row of the table. Builds SQL, and only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet
from django.db.models.expressions import RawSQL

from ..databases.collecting import CollectedKeys
from .key_rows import are_numbered, ranked, repeated

if TYPE_CHECKING:
    from ..databases import Database
    from ..values import MatchKey

_MEMBERS = "dedupe_members"


def unpacks(database: Database, key: MatchKey, rows: QuerySet[Any]) -> bool:
    """Whether that is faster here, and no group among the rows is too large for a list."""
    longest = database.longest_list() if are_numbered(key.model) else 0
    if not longest:
        return False
    largest = repeated(key, rows).aggregate(largest=Max("dedupe_rows"))["largest"]
    return bool(largest and largest <= longest)


def unpacked_members(
    database: Database, key: MatchKey, rows: QuerySet[Any], ordering: list[Any]
) -> tuple[QuerySet[Any], str, Any]:
    """The ranked rows of duplicate groups, and a common table expression that their query needs."""
    (pk,) = database.table(key.model).pk
    lists = repeated(key, rows).annotate(dedupe_pks=CollectedKeys("pk")).values_list("dedupe_pks")
    sql, params = lists.query.get_compiler(database.using).as_sql()
    same = database.equal(
        database.qualified(_MEMBERS, ["member"]),
        database.qualified(database.q(key.model._meta.db_table), [pk.name]),
    )
    found: QuerySet[Any] = QuerySet(key.model, using=database.using).order_by()
    found = found.extra(tables=[_MEMBERS], where=[same])  # noqa: S610  # names of our own
    number = RawSQL(f"{_MEMBERS}.group_number", [])  # noqa: S611  # as above
    expression = (
        f"WITH {_MEMBERS} (group_number, member) AS (SELECT g.group_number, j.member FROM"
        f" (SELECT ROW_NUMBER() OVER () AS group_number, q.dedupe_pks FROM ({sql}) q) g,"
        f" {database.unpacked('g.dedupe_pks', pk)} j)"
    )
    return ranked(found, [number], ordering), expression, params
