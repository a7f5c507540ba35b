"""Levels: what applying a mapping would do to every table, found out before anything is written.

The top level is the mapping of the duplicates themselves. Rivals that are to be merged are a
mapping of their own table: a level below, with the same questions. Only work tables are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..graph.refusals import refusal_of
from .by_value import hold_incomplete
from .conflicts import hold_unlike
from .content import hold_named_in_content
from .losers import count_pointing
from .mapping import Mapping, create, settle, text_type, texts, with_values
from .own_targets import OwnTarget, find_own_targets
from .rivals import Fate, Rivals, find_rivals
from .strangers import hold_strangers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Table
    from ..graph.references import Reference
    from ..graph.unique import UniqueRule
    from .holders import Holder
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a mapping does to one table that points at its rows.

    ``nested`` is the level that merges its rivals; ``followers`` are the references to its own
    rows that must follow when repointing changes its primary key.
    """

    holder: Holder
    rivals: Rivals | None = None
    fates: dict[Fate, int] = field(default_factory=dict)
    nested: Level | None = None

    @property
    def merged(self) -> int:
        return self.fates.get(Fate.MERGE, 0)

    @property
    def discarded(self) -> int:
        gone = (Fate.REDUNDANT, Fate.DISCARD, Fate.OWN_LINK)
        return sum(self.fates.get(fate, 0) for fate in gone)


@dataclass(frozen=True, kw_only=True)
class Level:
    """A mapping, what it does to each table, and which self-references need a new target.

    ``above`` are the mappings of the levels above that this level's rows are keyed by: a winner
    may then move on to the survivor's key, taking what points at it along.
    """

    mapping: Mapping
    works: tuple[Work, ...]
    above: tuple[Mapping, ...] = ()
    own_targets: tuple[OwnTarget, ...] = ()

    def levels(self) -> Iterator[Level]:
        """This level and all below it."""
        yield self
        for work in self.works:
            if work.nested:
                yield from work.nested.levels()


def analyse(session: Session, mapping: Mapping) -> Level:
    """What applying the mapping does, after taking out of it every group to be held back.

    Fewer groups make fewer collisions, so this ends, nearly always in the second round.
    """
    while True:
        before = len(session.held)
        level = _level(session, mapping, (mapping.table.model,))
        if len(session.held) == before:
            return level
        session.held.take_out(mapping)


def _level(
    session: Session,
    mapping: Mapping,
    path: tuple[type[Model], ...],
    above: tuple[Mapping, ...] = (),
) -> Level:
    hold_strangers(session, mapping)
    hold_unlike(session, mapping)
    hold_named_in_content(session, mapping)
    holders = session.holders(mapping.table.model)
    references = [reference for holder in holders for reference in holder.references]
    hold_incomplete(session, mapping, references)
    mapping = with_values(session.database, mapping, references)
    works = [
        _work(session, mapping, holder, path, above, number)
        for number, holder in enumerate(holders)
    ]
    return Level(
        mapping=mapping,
        works=tuple(works),
        above=above,
        own_targets=tuple(find_own_targets(session, mapping, references)),
    )


def _work(
    session: Session,
    mapping: Mapping,
    holder: Holder,
    path: tuple[type[Model], ...],
    above: tuple[Mapping, ...],
    number: int,
) -> Work:
    if not holder.rules and not holder.link_pairs:
        return Work(holder=holder)
    # the mapping's own name is part of it, so that no two levels share a work table
    name = session.work_table(*mapping.name.split("_")[2:], number)
    rivals = Rivals(name=name, holder=holder)
    fates = find_rivals(session.database, mapping, rivals, session.fate(holder))
    if fates and _is_refused(session, rivals):
        return Work(holder=holder, rivals=rivals, fates=fates)
    _hold(session, rivals, fates)
    is_referenced = holder.followers or session.embedded(holder.table.model)
    merged = [Fate.MERGE, *([Fate.REDUNDANT] if is_referenced else [])]
    if not any(fates.get(fate) for fate in merged):
        return Work(holder=holder, rivals=rivals, fates=fates)
    if holder.table.model in path:
        _hold_circle(session, rivals, merged)
        return Work(holder=holder, rivals=rivals, fates=fates)
    nested = _nested(session, mapping, rivals, merged)
    level = _level(
        session,
        nested,
        (*path, holder.table.model),
        above=(mapping, *above) if holder.key else (),
    )
    return Work(holder=holder, rivals=rivals, fates=fates, nested=level)


def _is_refused(session: Session, rivals: Rivals) -> bool:
    """Hold rivals back, whatever the policy, whose rows must neither be merged nor deleted."""
    refusal = refusal_of(rivals.holder.table.model)
    if refusal is None:
        return False
    sentence = f"rows {{first}} and {{second}} would have to become one, but {refusal.reason}"
    _hold_rivals(session, rivals, sentence, "1 = 1")
    return True


def _hold(session: Session, rivals: Rivals, fates: dict[Fate, int]) -> None:
    if fates.get(Fate.HOLD):
        for number, rule in enumerate(rivals.holder.rules):
            where = f"x.fate = '{Fate.HOLD}' AND x.rule = {number}"
            _hold_rivals(session, rivals, would_break(rule), where)
    if fates.get(Fate.DISCARD) or fates.get(Fate.OWN_LINK):
        for reference in rivals.holder.followers:
            _hold_referenced(session, rivals, reference)
        for embedded in session.embedded(rivals.holder.table.model):
            sentence = f"row {{second}} cannot be discarded, {embedded.label} may hold its key"
            _hold_rivals(session, rivals, sentence, _GOES)


_GOES = f"x.fate IN ('{Fate.DISCARD}', '{Fate.OWN_LINK}')"
"""True for losers (``x``) that are deleted with what only they say."""


def would_break(rule: UniqueRule) -> str:
    """What a reason says of rivals that differ; their keys take the places in braces."""
    return f"rows {{first}} and {{second}} would break {rule.text}"


def about(holder: Holder, sentence: str) -> str:
    """A sentence of a reason, with the table that it speaks of."""
    return f"{holder.table.model._meta.label}: {sentence}"


def _hold_rivals(session: Session, rivals: Rivals, sentence: str, where: str) -> None:
    pk = rivals.holder.table.pk
    session.held.add(
        about(rivals.holder, sentence),
        f"FROM {session.database.q(rivals.name)} x WHERE {where}",
        first=session.held.key("x", pk, rivals.winners),
        second=session.held.key("x", pk, rivals.losers),
    )


def _hold_referenced(session: Session, rivals: Rivals, reference: Reference) -> None:
    """A row that others reference cannot be discarded: that would lose what points at it."""
    database, holder = session.database, rivals.holder
    keys = database.qualified("x", rivals.losers)
    count = count_pointing(database, holder, reference, keys)
    _hold_rivals(
        session,
        rivals,
        f"row {{second}} cannot be discarded, {reference.label} points at it",
        f"{_GOES} AND {count} > 0",
    )


def _hold_circle(session: Session, rivals: Rivals, fates: Sequence[Fate]) -> None:
    listed = ", ".join(f"'{fate}'" for fate in fates)
    sentence = (
        "merging rows {first} and {second} would lead back to a table already being merged; merge"
        " these two by themselves first, or take apart what makes them collide"
    )
    _hold_rivals(session, rivals, sentence, f"x.fate IN ({listed})")


def _nested(session: Session, mapping: Mapping, rivals: Rivals, fates: Sequence[Fate]) -> Mapping:
    """The mapping of rivals to their winners, under the numbers of the groups they belong to."""
    database, table = session.database, rivals.holder.table
    references = [r for holder in session.holders(table.model) for r in holder.references]
    nested = create(
        database,
        Mapping(
            name=f"{rivals.name}_map",
            table=table,
            text=text_type(database, references),
            is_nested=True,
        ),
    )
    losers, winners = (database.qualified("x", side) for side in (rivals.losers, rivals.winners))
    place = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(winners)} ORDER BY {', '.join(losers)})"
    listed = ", ".join(f"'{fate}'" for fate in fates)
    source = f"FROM {database.q(rivals.name)} x WHERE x.fate IN ({listed})"
    names = ["group_number", "place", *nested.members, *nested.survivors, *nested.texts, "root"]
    if rivals.holder.is_inherited:
        # parts of the merged objects themselves, so they keep the order of their survivors
        same = database.equal(database.qualified("g", mapping.members), losers)
        place = f"(SELECT g.place FROM {database.q(mapping.name)} g WHERE {same})"
    into = f"INSERT INTO {database.q(nested.name)} ({', '.join(map(database.q, names))})"
    pairs = losers + winners + texts(database, nested, losers, winners)
    database.run(f"{into} SELECT x.group_number, {place}, {', '.join(pairs)}, x.root {source}")
    _add_winners(database, nested, into)
    settle(database, nested)
    return nested


def _add_winners(database: Database, nested: Mapping, into: str) -> None:
    """The winners themselves, once each, under the lowest number of the groups they win for."""
    winners = database.qualified("w", nested.survivors)
    kept = winners + winners + texts(database, nested, winners, winners)
    # from a copy: what is being filled cannot be read by the same statement everywhere
    database.run(
        f"{into} SELECT MIN(w.group_number), 0, {', '.join(kept)}, MIN(w.root)"
        f" FROM (SELECT * FROM {database.q(nested.name)}) w GROUP BY {', '.join(winners)}"
    )


def tables(level: Level) -> list[Table]:
    """Every table that applying a level may write to."""
    found = {level.mapping.table.name: level.mapping.table}
    for below in level.levels():
        found |= {work.holder.table.name: work.holder.table for work in below.works}
    return list(found.values())
