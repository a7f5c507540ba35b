"""Which of colliding rows wins where their own model declares a survivor rule.

Reads users' rows and writes work tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import Rank

from ..databases.common_tables import compiled
from ..databases.named_rows import NamedRows
from ..databases.names import derived, numbered
from ..databases.tables import definitions, pk_names
from ..finding.key_rows import row_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from .rivals import Rivals


def elect(database: Database, rivals: Rivals, where: str) -> None:
    """Let rivals lose to the one that survives among them, in place of the one they lost to.

    ``where`` is SQL, true for the losers (``x``) of one unique rule.
    """
    best = derived(rivals.name, "best")
    columns = _types(rivals, rivals.winners) | _types(rivals, _elected(rivals))
    database.create_work_table(best, columns, primary_key=rivals.winners)
    _find_elected(database, rivals, best, rank(database, rivals, where), where)
    elected = _elected(rivals)
    # the row that has lost to the elected one takes its place among the losers
    database.update(
        rivals.name,
        dict(zip(rivals.losers, rivals.winners, strict=True)),
        NamedRows(best, dict(zip(rivals.losers, elected, strict=True))),
    )
    database.update(
        rivals.name,
        dict(zip(rivals.winners, elected, strict=True)),
        NamedRows(best, dict(zip(rivals.winners, rivals.winners, strict=True))),
    )


def rank(database: Database, rivals: Rivals, where: str) -> str:
    """A work table of the rivals that a condition selects: their keys, and how they stand.

    The ``standing`` of a row is lower than that of all rows that would not survive it; rows of one
    standing are as they were.
    """
    name, model = derived(rivals.name, "standing"), rivals.referrer.table.model
    keys = keys_of(rivals)
    columns = _types(rivals, keys) | {"standing": "bigint"}
    database.create_work_table(name, columns, primary_key=keys)
    rows: QuerySet[Any] = QuerySet(model, using=database.using).order_by()
    inside = f"SELECT {', '.join(keys)} FROM ({_both_sides(database, rivals, where)}) dedupe_both"
    named = pk_names(model)
    rows = rows.filter(row_in(named, RawSQL(inside, [])))  # noqa: S611  # names of our own
    standing = Window(Rank(), order_by=list(rivals.ordering))
    ranked = rows.annotate(dedupe_standing=standing).values_list(*named, "dedupe_standing")
    sql, params = compiled(ranked)
    into = ", ".join([*map(database.q, keys), "standing"])
    database.run(f"INSERT INTO {database.q(name)} ({into}) {sql}", params)
    database.settle(name)
    return name


def keys_of(rivals: Rivals) -> list[str]:
    """The columns of `rank`'s work table that hold a row's key."""
    return numbered("key", len(rivals.key))


def _find_elected(
    database: Database, rivals: Rivals, best: str, standings: str, where: str
) -> None:
    keys, winners = keys_of(rivals), rivals.winners
    same = database.join_on("s", keys, "b", keys)
    itself = database.join_on("y", keys, "y", winners)
    partition = ", ".join(database.qualified("b", winners))
    won = database.join_on("b", keys, "b", winners)
    before = ", ".join([f"CASE WHEN {won} THEN 0 ELSE 1 END", *database.qualified("b", keys)])
    listed = ", ".join(map(database.q, [*winners, *_elected(rivals)]))
    chosen = ", ".join(database.qualified("y", [*winners, *keys]))
    database.run(
        f"INSERT INTO {database.q(best)} ({listed}) SELECT {chosen} FROM (SELECT b.*,"
        f" ROW_NUMBER() OVER (PARTITION BY {partition} ORDER BY s.standing, {before}) AS n"
        f" FROM ({_both_sides(database, rivals, where)}) b"
        f" JOIN {database.q(standings)} s ON {same}) y WHERE y.n = 1 AND NOT ({itself})"
    )
    database.settle(best)


def _both_sides(database: Database, rivals: Rivals, where: str) -> str:
    """A query for the winners, each beside the keys of the rows that it stands against: its own,
    and those of its losers."""
    winners, losers = (database.qualified("x", side) for side in (rivals.winners, rivals.losers))
    keys = [
        f"CASE WHEN side.loses = 1 THEN {loser} ELSE {winner} END AS {key}"
        for winner, loser, key in zip(winners, losers, keys_of(rivals), strict=True)
    ]
    return (
        f"SELECT {', '.join(winners + keys)} FROM {database.q(rivals.name)} x"
        f" CROSS JOIN (SELECT 0 AS loses UNION ALL SELECT 1) side WHERE {where}"
    )


def _elected(rivals: Rivals) -> list[str]:
    return numbered("elected", len(rivals.key))


def _types(rivals: Rivals, names: Sequence[str]) -> dict[str, str]:
    pk = rivals.referrer.table.pk
    return definitions(names, pk)
