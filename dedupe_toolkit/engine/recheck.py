"""What a batch found out about colliding rows, made sure of under lock. Writes work tables only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .rivals import Rivals, find_rivals

if TYPE_CHECKING:
    from ..databases import Database
    from .levels import Level, Work
    from .session import Session


def are_rivals_locked(session: Session, level: Level) -> bool:
    """Lock the rows about to be discarded or merged away, and the rows they lost to.

    False when they are no longer what they were when they were compared. Links are left out:
    their rows have nothing to change, and one that is gone is noticed by the journal.
    """
    if session.database.is_alone_in_batch:
        return True
    return all(
        work.holder.is_link
        or work.rivals is None
        or not work.fates
        or _are_locked(session, below, work, work.rivals)
        for below in level.levels()
        for work in below.works
    )


def _lock(database: Database, rivals: Rivals) -> None:
    table = rivals.holder.table
    for side in (rivals.losers, rivals.winners):
        database.lock_rows(table, rivals.name, dict(zip(rivals.key, side, strict=True)))


def _are_locked(session: Session, level: Level, work: Work, rivals: Rivals) -> bool:
    database = session.database
    _lock(database, rivals)
    again = replace(rivals, name=session.work_table("again"))
    fates = find_rivals(database, level.mapping, again, session.fate(work.holder))
    columns = ["fate", *rivals.losers, *rivals.winners]
    same = database.equal(database.qualified("x", columns), database.qualified("y", columns))
    lost = database.value(
        f"SELECT COUNT(*) FROM {database.q(rivals.name)} x"
        f" LEFT JOIN {database.q(again.name)} y ON {same} WHERE y.fate IS NULL"
    )
    return not lost and fates == work.fates
