"""What a batch found out about colliding rows, made sure of under lock. Writes work tables only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..collisions.rivals import Rivals, find_rivals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..planning.levels import Level, Work
    from ..planning.session import Session


def are_rivals_locked(session: Session, level: Level) -> bool:
    """Lock the rows that collide, and compare them again.

    False when they are no longer what they were when they were compared.
    """
    for _, _, rivals in _compared(session, level):
        for rows in (rivals.losing, rivals.winning):
            session.database.lock_rows(rivals.referrer.table, rows)
    return all(_are_the_same(session, *found) for found in _compared(session, level))


def _compared(session: Session, level: Level) -> Iterator[tuple[Level, Work, Rivals]]:
    """The rivals whose values count, each with the level and the work they belong to.

    Links are left out: their rows have nothing to change, and one that is gone is noticed by the
    journal.
    """
    for below in level.levels():
        for work in below.works:
            if work.rivals and work.outcomes and not work.referrer.is_link:
                yield below, work, work.rivals


def _are_the_same(session: Session, level: Level, work: Work, rivals: Rivals) -> bool:
    database = session.database
    again = replace(rivals, name=session.work_table("again"))
    outcomes = find_rivals(database, level.mapping, again, level.policy.of_rivals(work.referrer))
    columns = ["outcome", *rivals.losers, *rivals.winners]
    same = database.join_on("x", columns, "y", columns)
    lost = database.value(
        f"SELECT COUNT(*) FROM {database.q(rivals.name)} x"
        f" LEFT JOIN {database.q(again.name)} y ON {same} WHERE y.outcome IS NULL"
    )
    return not lost and outcomes == work.outcomes
