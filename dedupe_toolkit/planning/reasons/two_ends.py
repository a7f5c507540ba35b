"""Rows that two levels of a merge would let end in different ones: held back beforehand.

A table may be reached in several ways, and so may the tables of one object. Each level knows what
collides for its own sake; carried out one after the other, the second would look for rows that
the first has taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...mapping.mapping import MERGED
from .held_rivals import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...collisions.resolutions import Outcome
    from ...collisions.rivals import Rivals
    from ...databases.tables import Table
    from ...mapping.mapping import MergeMap
    from ..session import Session


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Which rows (``members``) of a table end in which (``survivors``), by a work table (``m``)."""

    name: str
    table: Table
    members: Sequence[str]
    survivors: Sequence[str]
    condition: str

    def rows(self, session: Session) -> str:
        return f"(SELECT m.* FROM {session.database.q(self.name)} m WHERE {self.condition})"


@dataclass(frozen=True, kw_only=True)
class KnownEnds:
    """What the levels of a merge do to the rows of each table, as far as they are worked out."""

    found: dict[str, list[Ends]] = field(default_factory=dict)

    def merging(self, session: Session, mapping: MergeMap) -> None:
        """Add rows that a level below the top merges, and hold back what differs from before."""
        if mapping.is_nested:
            ends = Ends(
                name=mapping.name,
                table=mapping.table,
                members=mapping.members,
                survivors=mapping.survivors,
                condition=MERGED,
            )
            self._add(session, ends)

    def deleting(self, session: Session, rivals: Rivals, outcomes: Sequence[Outcome]) -> None:
        """The same of losers that just go."""
        ends = Ends(
            name=rivals.name,
            table=rivals.referrer.table,
            members=rivals.losers,
            survivors=rivals.winners,
            condition=f"m.tie IS NULL AND m.outcome IN ({quoted(outcomes)})",
        )
        self._add(session, ends)

    def _add(self, session: Session, ends: Ends) -> None:
        before = self.found.setdefault(ends.table.name, [])
        for other in before:
            _hold_differing(session, ends, other)
        before.append(ends)


def _hold_differing(session: Session, one: Ends, other: Ends) -> None:
    """Hold back the groups of rows that lose to two others, or to one and win against another."""
    database = session.database
    differing = f"NOT {database.join_on('x', one.survivors, 'y', other.survivors)}"
    for own, its, more in (
        (one.members, other.members, f" AND {differing}"),
        (one.members, other.survivors, ""),
        (one.survivors, other.members, ""),
    ):
        same = database.join_on("x", own, "y", its)
        session.held.add(
            "two ends",
            f"FROM {one.rows(session)} x JOIN {other.rows(session)} y ON {same}{more}",
            told={"model": one.table.model._meta.label},
            first=session.held.key("x", one.table.pk, one.survivors),
            second=session.held.key("x", one.table.pk, one.members),
        )
