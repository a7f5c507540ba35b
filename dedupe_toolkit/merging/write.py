"""Carries a level out: which users' rows change, in which order. Only a merge comes here."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..collisions.looking import looked_at_again
from ..collisions.resolutions import Outcome
from ..databases.names import numbered
from ..field_rules.new_values import new_values
from ..field_rules.value_steps import ValueStep, value_steps
from ..mapping.mapping import MERGED, MergeMap
from ..models import MergeStep
from ..repointing.deferred_keys import handing_over
from ..repointing.followers import Follower
from ..repointing.given import Given
from ..repointing.self_references import held_by_staying, pointing_at_survivor
from ..repointing.shared_columns import leaders_first
from .changes import naming
from .leftovers import is_by_value, refuse_left
from .repoint import Course, Repointing
from .strangers import refuse_strangers_of_losers, refuse_strangers_of_merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..collisions.rivals import Rivals
    from ..planning.levels import Level, Work
    from ..planning.reasons.in_the_way import InTheWay
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..repointing.self_references import OwnTarget

Reason = MergeStep.Reason

_DISCARDS = {
    Outcome.REDUNDANT: Reason.REDUNDANT,
    Outcome.DISCARD: Reason.DISCARDED,
    Outcome.OWN_LINK: Reason.OWN_LINK,
    Outcome.TIED: Reason.TIED,
}


@dataclass(frozen=True, kw_only=True)
class Writer(Repointing):
    """Carries out one level after another, in the transaction of one batch."""

    can_differ: bool
    """Whether others may have pointed at rows that merge one level down, which locks come late."""

    def apply(self, level: Level, reason: MergeStep.Reason = Reason.DUPLICATE) -> int:
        """Apply a mapping to every table it concerns; returns how many rows were merged.

        In an order in which no unique rule is broken on the way and no cascade ever fires:
        rivals go first, then everything is repointed, then the duplicates go, and last the
        survivors take values that may have to be unique.
        """
        mapping = level.mapping
        for work in level.works:
            self._settle_rivals(work, mapping)
        for way in level.in_the_way:
            self._empty(way)
        for own in level.own_targets:
            self._give_target(mapping, own)
        for is_plain, found in groupby(self._to_repoint(level), _is_plain):
            pairs = list(found)
            if is_plain:
                self.changes.journal.expect(pairs)
            for referrer, reference in pairs:
                one = Follower(referrer=referrer, reference=reference, mapping=mapping)
                moving = level.moving.get(reference.targets, ())
                self.repoint(one, Course(applied=mapping, moving=moving))
        self.repoint_embedded(mapping)
        held = held_by_staying(self.session, mapping, level)
        pointing = pointing_at_survivor(self.session, mapping, level, held)
        values = list(new_values(level.policy.rules, mapping, pointing, held))
        with handing_over(self.session, mapping, values):
            merged = self._delete_merged(level, reason)
            for step in value_steps(self.session.database, mapping, values):
                self._give(mapping, step, Reason.VALUE)
        for side in level.sides:
            self._apply_below(side)
        return merged

    def _to_repoint(self, level: Level) -> Iterator[tuple[Referrer, Reference]]:
        """The references that have rows to repoint, in order; the others are counted as such.

        A value that no foreign key guards is always repointed: nothing tells what is left there.
        """
        for referrer in leaders_first(self.session, [work.referrer for work in level.works]):
            for reference in referrer.references:
                is_open = not reference.is_enforced and is_by_value(reference, level.mapping)
                if is_open or reference in level.pointing:
                    yield referrer, reference
                else:
                    self.tally.add(reference)

    def _settle_rivals(self, work: Work, mapping: MergeMap) -> None:
        if work.rivals is None:
            return
        for outcome in work.deleted:
            self._delete_losers(work.rivals, outcome, _DISCARDS[outcome])
        if work.nested:
            self._apply_below(work.nested)
        reference = work.referrer.references[0]
        self.tally.add(reference, discarded=work.discarded, merged=work.merged)

    def _apply_below(self, level: Level) -> None:
        mapping = level.mapping
        self.session.database.lock_rows(mapping.table, mapping.named)
        refuse_strangers_of_merged(self.session, mapping)
        if self.can_differ:
            level = looked_at_again(self.session, level)
        with naming(mapping.table):
            self.apply(level, Reason.RIVAL)

    def _delete_losers(self, rivals: Rivals, outcome: Outcome, reason: MergeStep.Reason) -> None:
        table, losing = rivals.referrer.table, rivals.losing.only(f"m.outcome = '{outcome}'")
        refuse_strangers_of_losers(self.session, table, losing)
        self.changes.delete(
            table,
            losing,
            root="m.root",
            reason=reason,
            reference=rivals.referrer.references[0].label,
        )

    def _empty(self, way: InTheWay) -> None:
        self.changes.update(
            way.mapping.table,
            way.assigned,
            way.named,
            root="m.root",
            reason=Reason.OWN_TARGET,
        )

    def _give_target(self, mapping: MergeMap, own: OwnTarget) -> None:
        columns = own.reference.columns
        values = numbered("value", len(columns))
        step = ValueStep(name=own.name, columns=dict(zip(columns, values, strict=True)))
        self._give(mapping, step, Reason.OWN_TARGET)

    def _give(self, mapping: MergeMap, step: ValueStep, reason: MergeStep.Reason) -> None:
        """Set columns of survivors from a work table that has their keys and the values.

        They count by what they pointed at before: what they are given counts nowhere, wherever it
        moves afterwards.
        """
        database = self.session.database
        given = Given(
            database=database,
            planned=self.planned,
            top=self.top,
            mapping=mapping,
            step=step,
            of_its_own=reason is Reason.OWN_TARGET,
        )
        for reference, rows in given.counted_too_often():
            self.tally.add(reference, repointed=-rows)
        root = mapping.root(database)
        if mapping.is_nested:
            same = database.join_on("m", mapping.survivors, "g", mapping.members)
            root = f"(SELECT g.root FROM {database.q(mapping.name)} g WHERE {same})"
        self.changes.update(
            mapping.table,
            step.columns,
            mapping.survivors_in(step.name),
            root=root,
            reason=reason,
        )

    def _delete_merged(self, level: Level, reason: MergeStep.Reason) -> int:
        """Delete the duplicates, after making sure that nothing but each other points at them."""
        database, mapping = self.session.database, level.mapping
        refuse_left(self.session, mapping)
        with database.broken_foreign_keys() if level.is_chained else nullcontext():
            return self.changes.delete(
                mapping.table,
                mapping.named.only(MERGED),
                root=mapping.root(database),
                into=database.qualified("m", mapping.survivors),
                reason=reason,
            )


def _is_plain(pair: tuple[Referrer, Reference]) -> bool:
    """Whether repointing a reference is one step, as nothing follows the rows."""
    referrer, reference = pair
    return not (reference.is_key or referrer.moves_by(reference))
