"""Counts what applying a level would do, reference by reference. Only reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .embedded import find_embedded
from .levels import Level, Work
from .repointing import NEVER, are_merged, count_rows, have_lost, repointed_rows, will_move_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph.references import Reference
    from .mapping import Mapping
    from .session import Session
    from .tally import Tally


def count_level(session: Session, level: Level, tally: Tally) -> None:
    """Add to the tally what applying the level and all below it will do."""
    _count_embedded(session, level.mapping, tally)
    for work in level.works:
        reference = work.holder.references[0]
        tally.add(reference.label, reference.kind, discarded=work.discarded, merged=work.merged)
        for reference in work.holder.references:
            _count(session, level, work, reference, tally)
        if work.nested:
            count_level(session, work.nested, tally)


def _count_embedded(session: Session, mapping: Mapping, tally: Tally) -> None:
    for number, reference in enumerate(session.embedded(mapping.table.model)):
        name = f"{mapping.name}_in_{number}"
        rows = find_embedded(session.database, mapping, reference, name).rows
        tally.add(reference.label, reference.kind, repointed=rows)


def _count(session: Session, level: Level, work: Work, reference: Reference, tally: Tally) -> None:
    database = session.database
    lost = have_lost(database, work.rivals)
    rows = count_rows(
        database,
        repointed_rows(database, level.mapping, reference),
        lost,
        are_merged(database, level.mapping, reference),
        will_move_on(database, level.mapping, level.above),
        *_own_targets(session, level, reference),
    )
    tally.add(reference.label, reference.kind, repointed=rows)
    if reference.is_key and rows:
        _count_followers(session, level.mapping, work, tally)


def _own_targets(session: Session, level: Level, reference: Reference) -> Sequence[str]:
    """Survivors that get a target of their own are not repointed."""
    database = session.database
    keys = database.qualified("t", level.mapping.key)
    return [
        f"EXISTS (SELECT 1 FROM {database.q(own.name)} v WHERE"
        f" {database.equal(keys, database.qualified('v', level.mapping.survivors))})"
        for own in level.own_targets
        if own.reference == reference
    ]


def _count_followers(session: Session, mapping: Mapping, work: Work, tally: Tally) -> None:
    """What points at rows whose key changes with the mapping, and has not yet found its place."""
    database = session.database
    _count_embedded(session, replace(mapping, table=work.holder.table), tally)
    below = {w.holder.table.name: w for w in work.nested.works} if work.nested else {}
    for holder in session.holders(work.holder.table.model):
        own = below.get(holder.table.name, Work(holder=holder))
        for reference in holder.references:
            rows = count_rows(
                database,
                repointed_rows(database, mapping, reference),
                have_lost(database, own.rivals),
                _settled_below(session, mapping, work),
            )
            tally.add(reference.label, reference.kind, repointed=rows)
            if reference.is_key and rows:
                _count_followers(session, mapping, own, tally)


def _settled_below(session: Session, mapping: Mapping, work: Work) -> str:
    """SQL that is true for rows that point at a loser whose winner is the survivor's own row."""
    if work.rivals is None:
        return NEVER
    database = session.database
    loser = database.equal(
        database.qualified("m", mapping.members), database.qualified("x", work.rivals.losers)
    )
    winner = database.equal(
        database.qualified("m", mapping.survivors), database.qualified("x", work.rivals.winners)
    )
    return f"EXISTS (SELECT 1 FROM {database.q(work.rivals.name)} x WHERE {loser} AND {winner})"
