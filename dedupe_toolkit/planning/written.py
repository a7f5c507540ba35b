"""Which tables a merge may write, and what of them. Reads no rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..field_rules.new_values import changing_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..databases.tables import Table
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .levels import Level, Work
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class Written:
    """A table of which rows may have these columns changed, or be deleted; neither where nothing
    points at a duplicate yet. Rows that others may change meanwhile are locked."""

    table: Table
    columns: Collection[str] = ()
    is_deleted: bool = False
    is_locked: bool = False


def written(
    session: Session, level: Level, embedded: Collection[str], *, closely: bool = False
) -> Iterator[Written]:
    """Everything that applying a level, and all below it, may write; a table may come again.

    ``embedded`` are the references inside larger values by which any row points at a duplicate.
    ``closely`` looks at the rows for what survivors may be given; they must be as they will be,
    and no group may wait for another.
    """
    for below in level.levels():
        table = below.mapping.table
        given = [*_given(below, closely=closely), *_emptied(below)]
        yield Written(table=table, columns=given, is_deleted=True, is_locked=True)
        yield from _embedding(session, table, embedded)
        for work in below.works:
            yield _losing(session, work)
            for reference in below.pointing.intersection(work.referrer.references):
                yield Written(table=work.referrer.table, columns=reference.columns)
                if reference.is_key:
                    yield from _embedding(session, work.referrer.table, embedded)
                yield from _following(session, work.referrer, reference, [])


def _given(level: Level, *, closely: bool) -> Iterator[str]:
    rules, mapping = level.policy.rules, level.mapping
    yield from changing_columns(rules, mapping) if closely else rules.changing(mapping.table)


def _emptied(level: Level) -> Iterator[str]:
    """The columns in which rows would point at themselves, or are in the way of others."""
    references = [own.reference for own in level.own_targets]
    references += [way.reference for way in level.in_the_way]
    for reference in references:
        yield from reference.columns


def _embedding(session: Session, table: Table, embedded: Collection[str]) -> Iterator[Written]:
    """The tables in which keys stand inside larger values."""
    for reference in session.embedded(table.model):
        if reference.label in embedded:
            holder = session.database.table(reference.referrer)
            yield Written(table=holder, columns=(reference.value,), is_locked=True)


def _losing(session: Session, work: Work) -> Written:
    """The rows that go because they collide: links have nothing that others could change."""
    table = work.referrer.table
    if not work.deleted:
        return Written(table=table)
    is_locked = not work.referrer.is_link or bool(
        session.undeclared_keys(table.model) or session.acting_keys(table.model)
    )
    return Written(table=table, is_deleted=True, is_locked=is_locked)


def _following(
    session: Session, referrer: Referrer, reference: Reference, seen: list[Reference]
) -> Iterator[Written]:
    """What points at columns that repointing changes, and what points at that."""
    if reference in seen or not referrer.moves_by(reference):
        return
    for below in session.referrers(referrer.table.model):
        for follower in below.references:
            if not set(follower.targets).isdisjoint(reference.columns):
                yield Written(table=below.table, columns=follower.columns)
                yield from _following(session, below, follower, [*seen, reference])
