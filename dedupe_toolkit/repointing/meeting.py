"""Rows that meet one level down, and their values as the levels above leave them. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .rows import repointed_values

if TYPE_CHECKING:
    from ..collisions.rivals import Rivals
    from ..databases.tables import Column
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How rows one level down have come to collide: as these rivals, below these mappings."""

    rivals: Rivals
    above: tuple[MergeMap, ...]


def value_met(
    session: Session, mapping: MergeMap, column: Column, row: str, meeting: Meeting | None
) -> str:
    """SQL for a row's value, a reference to a merged row of a level above as it will be."""
    database = session.database
    for upper in meeting.above if meeting else ():
        for referrer in session.referrers(upper.table.model):
            for reference in referrer.references if referrer.table == mapping.table else ():
                if column.name in reference.columns:
                    new = repointed_values(database, upper, reference, row)
                    return new[reference.columns.index(column.name)]
    return f"{row}.{database.q(column.name)}"
