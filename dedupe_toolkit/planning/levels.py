"""Levels: what applying a mapping would do to every table, found out before anything is written.

The top level is the mapping of the duplicates themselves. Rivals that are to be merged are a
mapping of their own table: a level below, with the same questions. Only work tables are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..collisions.looking import Seen, look
from ..collisions.nested import nested_mapping, side_mapping
from ..collisions.resolutions import DELETED, Outcome
from ..collisions.rivals import Rivals, find_rivals
from ..collisions.tie_counts import count_held_ties
from ..mapping.by_value import with_values
from ..mapping.spellings import hold_unspelled
from ..references.discover import inheritance_root, parent_links
from ..repointing.followers import Moving, joined, moving_below
from ..repointing.meeting import Meeting
from ..repointing.self_references import OwnTarget, find_own_targets
from .reasons.apart import hold_parted
from .reasons.held_collisions import count_held_collisions
from .reasons.held_rivals import are_refused, hold_circle, hold_losers, quoted
from .reasons.in_the_way import InTheWay, find_in_the_way
from .reasons.incomplete_values import hold_acted_upon, hold_incomplete
from .reasons.mixed_up_keys import hold_mixed_up
from .reasons.of_rows import Merging, hold_rows
from .reasons.out_of_reach import hold_out_of_reach
from .reasons.undeclared_keys import (
    hold_undeclared_keys_of_losers,
    hold_undeclared_keys_of_movers,
)
from .reasons.unkept import hold_unkept_losers
from .ways import Met, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases.tables import Table
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .policies import LevelPolicy
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a mapping does to one table that points at its rows.

    ``nested`` is the level that merges its rivals: its own rows, or whole objects by the table
    that names these. ``merged_by`` is set instead where rows have been reached by another link of
    their objects, and merge there.
    """

    referrer: Referrer
    rivals: Rivals | None = None
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    nested: Level | None = None
    merged_by: MergeMap | None = None

    @property
    def below(self) -> dict[str, Work]:
        """What merging this table's own rows does to those that point at them, by table."""
        for level in self.nested.levels() if self.nested else ():
            if level.mapping.table.name == self.referrer.table.name:
                return {work.referrer.table.name: work for work in level.works}
        return {}

    @property
    def deleted(self) -> list[Outcome]:
        """The outcomes of losers that just go: not of redundant ones that merge with the others."""
        met = (outcome for outcome in DELETED if self.outcomes.get(outcome))
        return [one for one in met if not (one is Outcome.REDUNDANT and self.nested)]

    @property
    def merged(self) -> int:
        return self.outcomes.get(Outcome.MERGE, 0)

    @property
    def discarded(self) -> int:
        return sum(self.outcomes.get(outcome, 0) for outcome in DELETED)


@dataclass(frozen=True, kw_only=True)
class Level:
    """A mapping, what it does to each table, and which self-references need a new target.

    ``pointing`` are the references by which any row points at a duplicate. Before targets are
    given, the duplicates ``in_the_way`` of them are emptied.

    ``sides`` are the levels of other parents of its rows, which merge after these, and ``moving``
    says how its rows will move because of the levels above: a winner may then move on to the
    survivor's key, taking what points at it along.
    """

    mapping: MergeMap
    policy: LevelPolicy
    works: tuple[Work, ...]
    sides: tuple[Level, ...] = ()
    moving: Moving = field(default_factory=dict)
    pointing: frozenset[Reference] = frozenset()
    own_targets: tuple[OwnTarget, ...] = ()
    in_the_way: tuple[InTheWay, ...] = ()

    @property
    def is_chained(self) -> bool:
        """Whether rows may collide in what they point at in their own table.

        Duplicates are gone then, wave by wave, before what points at others of them moves.
        """
        table = self.mapping.table.name
        return any(work.referrer.rules for work in self.works if work.referrer.table.name == table)

    def levels(self) -> Iterator[Level]:
        """This level and all below it."""
        yield self
        for work in self.works:
            if work.nested:
                yield from work.nested.levels()
        for side in self.sides:
            yield from side.levels()


def analyse(session: Session, mapping: MergeMap) -> Level:
    """What applying the mapping does, after taking out of it every group to be held back.

    Fewer groups make fewer collisions, so this ends, nearly always in the second round.
    """
    while True:
        before = len(session.held)
        level = _level(session, mapping, session.policies.top, Way(path=(mapping,)))
        if len(session.held) == before:
            return level
        count_held_ties(session, level)
        count_held_collisions(session, level)
        session.held.take_out(mapping)


def _level(session: Session, mapping: MergeMap, policy: LevelPolicy, way: Way) -> Level:
    way.family.reach(mapping)
    way.ends.merging(session, mapping)
    hold_rows(Merging(session=session, mapping=mapping, policy=policy, meeting=way.meeting))
    referrers = session.referrers(mapping.table.model)
    references = [reference for referrer in referrers for reference in referrer.references]
    hold_incomplete(session, mapping, references, policy.rules)
    mapping = with_values(session.database, mapping, references)
    hold_acted_upon(session, mapping, references)
    # levels below look up in it what references hold
    way = replace(way, path=(*way.path[:-1], mapping))
    hold_unspelled(session, mapping, references)
    collided = session.collided.get(mapping.name, ())
    seen = look(session.database, mapping, policy, referrers, collided)
    hold_out_of_reach(session, mapping, seen.pointing)
    touched = [referrer for referrer in referrers if seen.is_touched(referrer)]
    hold_mixed_up(session, mapping, [one for each in touched for one in each.references])
    works = [
        _work(session, mapping, policy, referrer, way, seen, number)
        if seen.is_touched(referrer)
        else Work(referrer=referrer)
        for number, referrer in enumerate(referrers)
    ]
    session.collided[mapping.name] = {one.referrer.table.name for one in works if one.outcomes}
    own_targets = tuple(find_own_targets(session, mapping, seen.pointing))
    return Level(
        mapping=mapping,
        policy=policy,
        works=tuple(works),
        pointing=seen.pointing,
        sides=tuple(_sides(session, mapping, policy, way)),
        moving=way.moving,
        own_targets=own_targets,
        in_the_way=tuple(find_in_the_way(session, mapping, referrers, own_targets)),
    )


def _sides(session: Session, mapping: MergeMap, policy: LevelPolicy, way: Way) -> Iterator[Level]:
    """The levels of the other parents of parts that merge."""
    for link in parent_links(mapping.table.model):
        if not way.came_by.isdisjoint(link.columns):
            continue
        root = inheritance_root(link.target)
        if root in way.family.roots:
            hold_parted(session, mapping, link, way.family.roots[root])
        elif any(upper.table.model is root for upper in way.path):
            hold_parted(session, mapping, link)
        else:
            side = side_mapping(session, mapping, link, session.database.table(root))
            yield _level(session, side, policy, way.beside(side))


def _work(
    session: Session,
    mapping: MergeMap,
    policy: LevelPolicy,
    referrer: Referrer,
    way: Way,
    seen: Seen,
    number: int,
) -> Work:
    if referrer.is_inherited and referrer.table.name in way.family.merged:
        return Work(referrer=referrer, merged_by=way.family.merged[referrer.table.name])
    hold_undeclared_keys_of_movers(session, mapping, referrer)
    if referrer.table.name not in seen.colliding:
        return Work(referrer=referrer)
    ties = policy.ties(mapping, referrer)
    # the mapping's own name is part of it, so that no two levels share a work table
    name = session.work_table(*mapping.name.split("_")[2:], number)
    rivals = Rivals(
        name=name, referrer=referrer, ties=ties, policy=session.policies.below(policy, referrer)
    )
    outcomes = find_rivals(session.database, mapping, rivals, policy.of_rivals(referrer))
    work = Work(referrer=referrer, rivals=rivals, outcomes=outcomes)
    if not outcomes or are_refused(session, rivals):
        return work
    hold_losers(session, rivals, outcomes)
    if outcomes:
        hold_unkept_losers(session, rivals)
    merged = _merged(session, referrer, outcomes)
    deleted = [outcome for outcome in DELETED if outcomes.get(outcome) and outcome not in merged]
    if deleted:
        hold_undeclared_keys_of_losers(session, rivals, f"m.outcome IN ({quoted(deleted)})")
        if not referrer.is_link:  # a link says the same as any that it loses to
            way.ends.deleting(session, rivals, deleted)
    if any(upper.table.model is _merging_table(session, referrer).model for upper in way.path):
        # a row of a table that is being merged may be what others of that merge become
        hold_circle(session, rivals, [*merged, Outcome.DISCARD])
        return work
    if not any(outcomes.get(outcome) for outcome in merged):
        return work
    return replace(work, nested=_nested(session, mapping, rivals, merged, way))


def _merged(session: Session, referrer: Referrer, outcomes: dict[Outcome, int]) -> list[Outcome]:
    """The outcomes of losers that are merged: redundant ones too, unless they just vanish."""
    model = referrer.table.model
    has_more = referrer.followers or session.embedded(model) or parent_links(model)
    return [
        Outcome.MERGE,
        *([Outcome.REDUNDANT] if has_more or outcomes.get(Outcome.MERGE) else []),
    ]


def _merging_table(session: Session, referrer: Referrer) -> Table:
    """The table whose rows name the objects of a referrer's rows."""
    if referrer.is_inherited:
        return referrer.table
    return session.database.table(inheritance_root(referrer.table.model))


def _nested(
    session: Session, mapping: MergeMap, rivals: Rivals, merged: list[Outcome], way: Way
) -> Level:
    referrer, table = rivals.referrer, _merging_table(session, rivals.referrer)
    nested = nested_mapping(session, mapping, rivals, merged, table)
    moving = moving_below(session, mapping, way.moving, referrer)
    meeting = Meeting(rivals=rivals, above=way.path)
    if not referrer.is_inherited:
        below = Way(
            path=(*way.path, nested),
            moving=moving if table is referrer.table else {},
            meeting=meeting,
            met=Met(meeting=meeting, moving=moving),
            ends=way.ends,
        )
        return _level(session, nested, rivals.policy, below)
    links = [link for link in referrer.references if link.is_part]
    below = replace(
        way,
        path=(*way.path, nested),
        came_by=frozenset(column for link in links for column in link.columns),
        moving=moving,
        meeting=meeting,
    )
    if way.met and way.met.meeting.rivals.referrer.table == referrer.table:
        # these are the very rows that have collided
        met = Meeting(rivals=way.met.meeting.rivals, above=way.path)
        below = replace(below, meeting=met, moving=joined(moving, way.met.moving))
    return _level(session, nested, rivals.policy, below)
