"""What is at stake where colliding rows hold groups back: the columns in which they differ.

Only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...collisions.compared_rows import rule_rows
from ...collisions.losing_rows import (
    are_alike,
    beside_winners,
    count_pointing,
    loser_keys,
    losing_rows,
    winner_keys,
)
from ...collisions.resolutions import Outcome
from ...plan_values import HeldCollisions
from ...references.discover import naming_columns
from ...references.meta import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...databases import Database
    from ...databases.tables import Column
    from ...mapping.mapping import MergeMap
    from ...references.referrers import Referrer
    from ...reviewing.preview_rivals import Collision
    from ..levels import Level
    from ..session import Session


def count_held_collisions(session: Session, level: Level) -> None:
    """Remember how the rows differ that collide and hold groups back, and are taken out."""
    database = session.database
    for below in level.levels():
        for work in below.works:
            rivals = work.rivals
            if rivals is None or not work.outcomes.get(Outcome.HOLD):
                continue
            losers = database.qualified("x", rivals.losers)
            winners = database.qualified("x", rivals.winners)
            where = f"x.outcome = '{Outcome.HOLD}' AND x.tie IS NULL"
            source = f"{database.q(rivals.name)} x"
            sql = _query(database, work.referrer, source, losers, winners, where)
            (numbers,) = database.fetch(sql)
            session.held.collisions.append(_told(work.referrer, numbers))


def at_stake(database: Database, mapping: MergeMap, collision: Collision) -> str:
    """A query for the same of rows named one by one, whose rivals stand in no work table."""
    referrer = collision.referrer
    compared = rule_rows(database, mapping, referrer, collision.rule)
    source = f"(SELECT x.* {losing_rows(database, mapping, referrer, compared)}) x"
    alike = are_alike(database, mapping, referrer, collision.policy.rules)
    losers, winners = loser_keys(referrer), winner_keys(referrer)
    return _query(database, referrer, source, losers, winners, f"NOT ({alike})")


def stake_names(collision: Collision) -> list[str]:
    """The names of what such a query asks for."""
    return ["n", *(f"s{number}" for number in range(len(_columns(collision.referrer)))), "s"]


def told_of(collision: Collision, numbers: Sequence[Any]) -> HeldCollisions:
    return _told(collision.referrer, numbers)


def summed(found: Iterable[HeldCollisions]) -> tuple[HeldCollisions, ...]:
    """One for each table, whatever the number of rounds and levels in which they were found."""
    models: dict[str, list[HeldCollisions]] = {}
    for one in found:
        if one.rows:
            models.setdefault(one.model, []).append(one)
    return tuple(_sum(model, models[model]) for model in sorted(models))


def _sum(model: str, found: list[HeldCollisions]) -> HeldCollisions:
    fields: dict[str, int] = {}
    for one in found:
        for name, rows in one.fields.items():
            fields[name] = fields.get(name, 0) + rows
    rows, referenced = (sum(getattr(one, n) for one in found) for n in ("rows", "referenced"))
    return HeldCollisions(model=model, rows=rows, fields=fields, referenced=referenced)


def _query(
    database: Database,
    referrer: Referrer,
    source: str,
    losers: Sequence[str],
    winners: Sequence[str],
    where: str,
) -> str:
    """A query for the number of losers, of those that differ in each field, and are referenced."""
    columns = _columns(referrer)
    flags = [
        f"CASE WHEN {database.same(f'a.{name}', f'b.{name}', column)} THEN 0 ELSE 1 END AS f{n}"
        for n, column in enumerate(columns)
        for name in [database.q(column.name)]
    ]
    pointing = [count_pointing(database, referrer, ref, losers) for ref in referrer.followers]
    flags.append(f"CASE WHEN {' + '.join(pointing) or '0'} > 0 THEN 1 ELSE 0 END AS r")
    sums = [*(f"SUM(y.f{n}) AS s{n}" for n in range(len(columns))), "SUM(y.r) AS s"]
    return (
        f"SELECT COUNT(*) AS n, {', '.join(sums)} FROM (SELECT {', '.join(flags)} FROM {source}"
        f" {beside_winners(database, referrer, losers, winners)} WHERE {where}) y"
    )


def _told(referrer: Referrer, numbers: Sequence[Any]) -> HeldCollisions:
    rows, *differing, referenced = (int(number or 0) for number in numbers)
    names = {column_of(f): f.name for f in referrer.table.model._meta.local_concrete_fields}
    counts = zip(_columns(referrer), differing, strict=True)
    fields = {names.get(column.name, column.name): count for column, count in counts if count}
    return HeldCollisions(
        model=referrer.table.model._meta.label, rows=rows, fields=fields, referenced=referenced
    )


def _columns(referrer: Referrer) -> list[Column]:
    """The columns in which rivals may differ: not those that bring them together."""
    repointed = {name for reference in referrer.references for name in reference.columns}
    stamped = {
        column_of(field)
        for field in referrer.table.model._meta.local_concrete_fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    }
    apart = repointed | stamped | naming_columns(referrer.table.model)
    return [c for c in referrer.table.non_key_columns if c.name not in apart]
