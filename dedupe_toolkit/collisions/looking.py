"""Looks which references have rows to repoint and which tables rows that collide, at once for all.

In a large schema most tables have neither, and need not be asked anything further. Only reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..repointing.rows import repointed_rows
from .compared_rows import rule_rows
from .losing_rows import losing_rows
from .ties import tied_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from ..planning.policies import LevelPolicy
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer

FEW = 5_000
"""Members of a mapping up to which a look at what collides costs less than to write it down."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The references by which some row points at a duplicate, and the names of the tables whose
    rows may collide, or tie members of one group together."""

    pointing: frozenset[Reference]
    colliding: frozenset[str]

    def is_touched(self, referrer: Referrer) -> bool:
        """Whether any row of a table points at a duplicate."""
        return not self.pointing.isdisjoint(referrer.references)


def look(
    database: Database,
    mapping: MergeMap,
    policy: LevelPolicy,
    referrers: Sequence[Referrer],
    expected: Collection[str],
) -> Seen:
    """What a mapping meets in the tables that point at its rows: two statements for all of them.

    Tables whose rows are ``expected`` to collide are taken to, and of a long mapping all that
    could: to look would cost as much as to find the rows.
    """
    references = [reference for referrer in referrers for reference in referrer.references]
    pointing, is_short = _pointing(database, mapping, references)
    asked = [
        (referrer.table.name, question)
        for referrer in referrers
        if not pointing.isdisjoint(referrer.references)
        for question in _collisions(database, mapping, policy, referrer)
    ]
    taken = {name for name, _ in asked if name in expected or not is_short}
    asked = [(name, question) for name, question in asked if name not in taken]
    answers = database.answers([question for _, question in asked])
    found = {name for (name, _), is_there in zip(asked, answers, strict=True) if is_there}
    return Seen(pointing=pointing, colliding=frozenset(taken | found))


def looked_at_again(session: Session, level: Level) -> Level:
    """The level with the references by which some row points at a duplicate by now."""
    references = [reference for work in level.works for reference in work.referrer.references]
    return replace(level, pointing=_pointing(session.database, level.mapping, references)[0])


def _pointing(
    database: Database, mapping: MergeMap, references: Sequence[Reference]
) -> tuple[frozenset[Reference], bool]:
    """These references, and whether the mapping has few members."""
    few = f"SELECT 1 FROM {database.q(mapping.name)} LIMIT {FEW}"
    questions = [_exists(repointed_rows(database, mapping, ref)) for ref in references]
    members, *found = database.answers([f"SELECT COUNT(*) FROM ({few}) few", *questions])
    pointing = (ref for ref, is_there in zip(references, found, strict=True) if is_there)
    return frozenset(pointing), members < FEW


def _collisions(
    database: Database, mapping: MergeMap, policy: LevelPolicy, referrer: Referrer
) -> Iterator[str]:
    for tie in policy.ties(mapping, referrer):
        yield _exists(tied_rows(database, mapping, referrer, tie.ends))
    for rule in referrer.rules:
        rows = rule_rows(database, mapping, referrer, rule)
        yield _exists(losing_rows(database, mapping, referrer, rows))


def _exists(rows: str) -> str:
    """A query for whether a source, SQL from FROM on, has any rows."""
    return f"SELECT EXISTS (SELECT 1 {rows})"
