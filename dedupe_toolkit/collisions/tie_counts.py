"""Counts the rows that tie survivor and duplicate together, by what becomes of them. Only reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..plan_values import TieCount
from .losing_rows import not_in
from .resolutions import Outcome
from .ties import Tie, tied_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from ..planning.session import Session
    from .rivals import Rivals

Labels = tuple[str, str]
"""What the two references that tie rows are called."""


def count_held_ties(session: Session, level: Level) -> None:
    """Remember the rows that tie together the groups which are about to be taken out."""
    held = session.database.q(session.held.name)
    out = f"EXISTS (SELECT 1 FROM {held} h WHERE h.group_number = x.group_number)"
    for _, rivals in _with_ties(level):
        for tie, rows in _tied(session, rivals, out):
            session.held.ties[tie.labels] += rows


def tie_counts(session: Session, level: Level) -> tuple[TieCount, ...]:
    """What becomes of all rows that tie, for every two references that tie any."""
    held, discarded, kept = session.held.ties, Counter[Labels](), Counter[Labels]()
    for mapping, rivals in _with_ties(level):
        for tie, rows in _tied(session, rivals, "1 = 1"):
            discarded[tie.labels] += rows
        for tie in rivals.ties:
            if tie.outcome is Outcome.KEPT:
                kept[tie.labels] += _kept(session, mapping, rivals, tie)
    found = held + discarded + kept  # a sum of counters leaves out what is zero
    return tuple(
        TieCount(
            references=labels,
            held_back=held[labels],
            discarded=discarded[labels],
            kept=kept[labels],
        )
        for labels in sorted(found)
    )


def _with_ties(level: Level) -> Iterator[tuple[MergeMap, Rivals]]:
    for below in level.levels():
        for work in below.works:
            if work.rivals and any(not tie.is_link for tie in work.rivals.ties):
                yield below.mapping, work.rivals


def _tied(session: Session, rivals: Rivals, where: str) -> Iterator[tuple[Tie, int]]:
    """The rows that may not stay, by what ties them."""
    rows = session.database.fetch(
        f"SELECT x.tie, COUNT(*) FROM {session.database.q(rivals.name)} x"
        f" WHERE x.tie IS NOT NULL AND x.outcome <> '{Outcome.OWN_LINK}' AND {where} GROUP BY x.tie"
    )
    for number, count in rows:
        yield rivals.ties[number], int(count)


def _kept(session: Session, mapping: MergeMap, rivals: Rivals, tie: Tie) -> int:
    database = session.database
    stays = not_in(database, rivals.name, rivals.losers, database.qualified("r", rivals.key))
    rows = tied_rows(database, mapping, rivals.referrer, tie.ends)
    return int(database.value(f"SELECT COUNT(*) {rows} AND {stays}"))
