"""Counts what applying a level would do, reference by reference. Only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..databases.names import derived
from ..repointing.embedded_keys import find_embedded
from ..repointing.followers import Follower, followers
from ..repointing.rows import (
    NEVER,
    are_merged,
    points_at_duplicate,
    rows_that_stay,
    will_move_on,
)
from ..repointing.shared_columns import leaders_first, taken_along
from .levels import Level, Work
from .settled import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .session import Session
    from .tally import Tally


def count_level(
    session: Session, level: Level, tally: Tally, settled: Settled | None = None
) -> Settled:
    """Add to the tally what applying the level and all below it will do, in the order of a run.

    Returns what is settled after that.
    """
    settled = settled or Settled()
    for work in level.works:
        tally.add(work.referrer.references[0], discarded=work.discarded, merged=work.merged)
        if work.rivals:
            settled = settled.with_losers(work.rivals)
        if work.nested:
            settled = count_level(session, work.nested, tally, settled)
    settled = settled.with_targets(level.own_targets)
    _count_embedded(session, level.mapping, tally)
    rows = _rows(session, level, settled)
    for work in level.works:
        for reference in work.referrer.references:
            repointed = rows.get(reference, 0)
            tally.add(reference, repointed=repointed)
            if repointed:
                counting = _Followers(session=session, level=level, tally=tally, settled=settled)
                database, mapping = session.database, level.mapping
                staying = rows_that_stay(database, mapping, work.referrer, reference)
                staying += _moved_below(database, work, reference)
                counting.count(work, mapping, reference, staying=staying)
    for side in level.sides:
        settled = count_level(session, side, tally, settled)
    return settled.with_merged(level.mapping) if level.mapping.is_nested else settled


def _count_embedded(session: Session, mapping: MergeMap, tally: Tally) -> None:
    for number, reference in enumerate(session.embedded(mapping.table.model)):
        name = derived(mapping.name, "in", number)
        rows = find_embedded(session.database, mapping, reference, name).rows
        tally.add(reference, repointed=rows)


def _rows(session: Session, level: Level, settled: Settled) -> dict[Reference, int]:
    """How many rows each reference by which any row points at a duplicate repoints."""
    in_order = leaders_first(session, [work.referrer for work in level.works])
    asked = {
        reference: _counting(session, level, work, reference, in_order, settled)
        for work in level.works
        for reference in work.referrer.references
        if reference in level.pointing
    }
    return dict(zip(asked, map(int, session.database.answers([*asked.values()])), strict=True))


def _counting(
    session: Session,
    level: Level,
    work: Work,
    reference: Reference,
    in_order: Sequence[Referrer],
    settled: Settled,
) -> str:
    database, mapping = session.database, level.mapping
    return settled.counting(
        database,
        mapping,
        reference,
        _merge_elsewhere(database, work, reference),
        are_merged(database, mapping, reference),
        will_move_on(database, mapping, reference, level.moving.get(reference.targets, ())),
        *taken_along(session, in_order, work.referrer, reference),
        *_moved_below(database, work, reference),
        *settled.repointed(database, mapping, reference),
    )


def _merge_elsewhere(database: Database, work: Work, reference: Reference) -> str:
    """SQL that is true for rows (``t``) that go as parts of objects reached by another link."""
    return are_merged(database, work.merged_by, reference) if work.merged_by else NEVER


def _moved_below(database: Database, work: Work, reference: Reference) -> list[str]:
    """SQL, each true for rows (``t``) that moved when rivals of their own table became one.

    They point at a rival by columns of which some are those of the reference.
    """
    table = work.referrer.table.name
    return [
        points_at_duplicate(database, level.mapping, own)
        for level in (work.nested.levels() if work.nested else ())
        if level.mapping.table.name == table
        for below in level.works
        if below.referrer.table.name == table
        for own in below.referrer.references
        if own in level.pointing and set(reference.columns).issubset(own.columns)
    ]


@dataclass(frozen=True, kw_only=True)
class _Followers:
    """Counts what follows rows that move, and has not yet found its place one level down."""

    session: Session
    level: Level
    tally: Tally
    settled: Settled

    def count(
        self,
        work: Work,
        mapping: MergeMap,
        reference: Reference,
        placed: tuple[str, ...] = (),
        staying: Sequence[str] = (),
    ) -> None:
        """What follows the rows that a reference of a referrer moves, and what follows those.

        ``placed`` are true for rows that have found their place further up the chain, ``staying``
        for rows (``t``) of the referrer itself that do not move.
        """
        session = self.session
        if reference.is_key:
            _count_embedded(session, replace(mapping, table=work.referrer.table), self.tally)
        below = work.below
        but_for = (*placed, *staying)
        for follower in followers(session, mapping, work.referrer, reference, but_for):
            own = below.get(follower.referrer.table.name, Work(referrer=follower.referrer))
            found = (*placed, _settled_below(session, follower, work))
            query = self.settled.counting(
                session.database,
                follower.mapping,
                follower.reference,
                _merge_elsewhere(session.database, own, follower.reference),
                are_merged(session.database, self.level.mapping, follower.reference),
                *found,
            )
            rows = int(session.database.value(query))
            self.tally.add(follower.reference, repointed=rows)
            if rows:
                self.count(own, follower.mapping, follower.reference, found)


def _settled_below(session: Session, follower: Follower, work: Work) -> str:
    """SQL that is true for rows that point at a loser whose winner is where they are to follow."""
    if work.rivals is None:
        return NEVER
    database, rivals, reference = session.database, work.rivals, follower.reference
    ends = {"l": rivals.losers, "w": rivals.winners}
    joins = [
        f"{database.join} {database.q(rivals.referrer.table.name)} {alias} ON"
        f" {database.join_on(alias, rivals.key, 'x', names)}"
        for alias, names in ends.items()
    ]
    sides = dict(zip("lw", follower.mapping.pointed_at(reference), strict=True))
    same = [
        database.join_on(alias, reference.targets, "m", names) for alias, names in sides.items()
    ]
    return (
        f"EXISTS (SELECT 1 FROM {database.q(rivals.name)} x {' '.join(joins)}"
        f" WHERE {' AND '.join(same)})"
    )
