"""Carries a level out: which users' rows change, in which order. Only a merge comes here."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from ..collisions.looking import looked_at_again
from ..collisions.resolutions import Outcome
from ..databases.names import derived
from ..databases.tables import OnMove
from ..field_rules.value_steps import value_steps
from ..mapping.mapping import MERGED, MergeMap
from ..models import MergeStep
from ..repointing.deferred_keys import handing_over
from ..repointing.embedded_keys import Embedded, find_embedded
from ..repointing.followers import Follower, followers, key_once_moved, moved_by
from ..repointing.rows import (
    NEVER,
    are_merged,
    repointed_rows,
    rows_that_stay,
    will_move_on,
    will_return,
)
from ..repointing.self_references import pointing_at_survivor
from ..repointing.shared_columns import leaders_first
from .changes import Changes, naming
from .leftovers import is_by_value, refuse_left

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..collisions.rivals import Rivals
    from ..planning.levels import Level, Work
    from ..planning.reasons.in_the_way import InTheWay
    from ..planning.session import Session
    from ..planning.tally import Tally
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from ..repointing.followers import Moves
    from ..repointing.self_references import OwnTarget

Reason = MergeStep.Reason

_DISCARDS = {
    Outcome.REDUNDANT: Reason.REDUNDANT,
    Outcome.DISCARD: Reason.DISCARDED,
    Outcome.OWN_LINK: Reason.OWN_LINK,
    Outcome.TIED: Reason.TIED,
}


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Carries out one level after another, in the transaction of one batch."""

    session: Session
    changes: Changes
    tally: Tally
    planned: MergeMap
    """The mapping of the whole run: what a later batch merges counts as going, too."""
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
                moving = level.moving.get(reference.targets, ())
                self._repoint(referrer, mapping, reference, mapping, moving)
        self._repoint_embedded(mapping)
        rules = level.policy.rules
        values = list(rules.new_values(mapping, pointing_at_survivor(self.session, mapping, level)))
        with handing_over(self.session, mapping, values):
            merged = self._delete_merged(level, reason)
            for step in value_steps(self.session.database, mapping, values):
                self._update_survivors(mapping, step.name, step.columns, Reason.VALUE)
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
                    self.tally.add(reference.label, reference.kind)

    def _settle_rivals(self, work: Work, mapping: MergeMap) -> None:
        if work.rivals is None:
            return
        for outcome, reason in _DISCARDS.items():
            if work.outcomes.get(outcome) and not (outcome is Outcome.REDUNDANT and work.nested):
                self._delete_losers(work.rivals, outcome, reason)
        if work.nested:
            self._apply_below(work.nested)
        label, kind = _names(work)
        self.tally.add(label, kind, discarded=work.discarded, merged=work.merged)

    def _apply_below(self, level: Level) -> None:
        mapping = level.mapping
        self.session.database.lock_rows(mapping.table, mapping.named)
        if self.can_differ:
            level = looked_at_again(self.session, level)
        with naming(mapping.table):
            self.apply(level, Reason.RIVAL)

    def _delete_losers(self, rivals: Rivals, outcome: Outcome, reason: MergeStep.Reason) -> None:
        self.changes.delete(
            rivals.referrer.table,
            rivals.losing.only(f"m.outcome = '{outcome}'"),
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
        columns = list(own.reference.columns)
        values = [f"value_{number}" for number in range(len(columns))]
        self._update_survivors(
            mapping, own.name, dict(zip(columns, values, strict=True)), Reason.OWN_TARGET
        )

    def _update_survivors(
        self, mapping: MergeMap, source: str, assigned: dict[str, str], reason: MergeStep.Reason
    ) -> None:
        """Set columns of survivors from a work table that has their keys and the values."""
        database = self.session.database
        root = mapping.root(database)
        if mapping.is_nested:
            same = database.join_on("m", mapping.survivors, "g", mapping.members)
            root = f"(SELECT g.root FROM {database.q(mapping.name)} g WHERE {same})"
        self.changes.update(
            mapping.table,
            assigned,
            mapping.survivors_in(source),
            root=root,
            reason=reason,
        )

    def _repoint_embedded(self, mapping: MergeMap, ahead_of: Moves = ()) -> None:
        for number, reference in enumerate(self.session.embedded(mapping.table.model)):
            name = derived(mapping.name, "in", number)
            database = self.session.database
            found = find_embedded(database, mapping, reference, name)
            if found.rows:
                database.lock_rows(found.table, found.named)
                # again, now that nobody else can change the values any more
                self._replace(find_embedded(database, mapping, reference, name), ahead_of)

    def _replace(self, embedded: Embedded, ahead_of: Moves) -> None:
        rows = self.changes.update(
            embedded.table,
            {embedded.reference.value: "value"},
            embedded.named,
            key=key_once_moved(self.session.database, embedded.table, ahead_of),
            root="m.root",
            reason=Reason.REPOINTED,
            reference=embedded.reference.label,
        )
        self.tally.add(embedded.reference.label, embedded.reference.kind, repointed=rows)

    def _repoint(
        self,
        referrer: Referrer,
        mapping: MergeMap,
        reference: Reference,
        applied: MergeMap,
        moving: Sequence[MergeMap] = (),
        ahead_of: Moves = (),
    ) -> None:
        """Repoint a reference, and what follows the rows that move because of that.

        ``applied`` is the mapping being applied, of which ``mapping`` may be a consequence,
        ``moving`` are those of levels above that will move what the reference holds then, and
        ``ahead_of`` is journaled already and changed afterwards.
        """
        database = self.session.database
        staying = rows_that_stay(database, applied, referrer, reference)
        found = followers(self.session, mapping, referrer, reference, staying)
        ahead, following = self._in_order(found)
        passing = self._count_passing(mapping, reference, applied, moving, staying)
        moves = (*ahead_of, Follower(referrer=referrer, reference=reference, mapping=mapping))
        is_moving = ahead or following or reference.is_key
        with database.broken_foreign_keys() if is_moving else nullcontext():
            rows = self.changes.update(
                referrer.table,
                dict(zip(reference.columns, mapping.new(reference), strict=True)),
                mapping.pointing(reference, database).but_for(staying),
                key=key_once_moved(database, referrer.table, ahead_of),
                root=mapping.root_at(reference, database),
                reason=Reason.REPOINTED,
                reference=reference.label,
                between=partial(self._go_ahead, ahead, applied, moves) if ahead else None,
            )
        self.tally.add(reference.label, reference.kind, repointed=rows - passing)
        if rows and reference.is_key:
            self._repoint_embedded(replace(mapping, table=referrer.table), ahead_of)
        for follower in following if rows else ():
            self._follow(referrer, reference, follower, applied, moving, ahead_of)

    def _in_order(self, found: Iterable[Follower]) -> tuple[list[Follower], list[Follower]]:
        """Those that have to follow ahead of what they point at, and those that follow after it.

        What the database itself takes along is counted here; nothing has to follow that, as the
        plan holds back where something would.
        """
        ahead, after = [], []
        for follower in found:
            match self.session.on_move(follower.reference):
                case OnMove.ACTS:
                    ahead.append(follower)
                case OnMove.CASCADES:
                    self._count_taken_along(follower)
                case _:
                    after.append(follower)
        return ahead, after

    def _count_taken_along(self, follower: Follower) -> None:
        database, reference = self.session.database, follower.reference
        rows = repointed_rows(database, follower.mapping, reference)
        count = int(database.value(f"SELECT COUNT(*) {rows}"))
        self.tally.add(reference.label, reference.kind, repointed=count)

    def _go_ahead(self, ahead: Sequence[Follower], applied: MergeMap, moves: Moves) -> None:
        """Repoint what the database would otherwise change by itself, once the key has moved."""
        for one in ahead:
            self._repoint(one.referrer, one.mapping, one.reference, applied, ahead_of=moves)

    def _follow(
        self,
        referrer: Referrer,
        reference: Reference,
        follower: Follower,
        applied: MergeMap,
        moving: Sequence[MergeMap],
        ahead_of: Moves,
    ) -> None:
        """What points at rows that just moved follows.

        Nothing pointed at where they are now before, so nothing can collide.
        """
        targets = follower.reference.targets
        further = [moved_by(self.session, one, referrer, reference, targets) for one in moving]
        step = follower.referrer, follower.mapping, follower.reference
        self._repoint(*step, applied, further, ahead_of)

    def _count_passing(
        self,
        mapping: MergeMap,
        reference: Reference,
        applied: MergeMap,
        moving: Sequence[MergeMap],
        staying: Sequence[str],
    ) -> int:
        """How many rows are about to be repointed that go, or are repointed again, anyway.

        Rows that come back to where they are now count twice: once more for their way back.
        """
        database = self.session.database
        going = are_merged(database, self._going(applied), reference)
        onward = will_move_on(database, mapping, reference, moving)
        if going == onward == NEVER:
            return 0
        rows = repointed_rows(database, mapping, reference)
        rows += "".join(f" AND NOT ({condition})" for condition in staying)
        returning = will_return(database, mapping, reference, moving)
        return int(
            database.value(
                f"SELECT (SELECT COUNT(*) {rows} AND ({going} OR {onward}))"
                f" + (SELECT COUNT(*) {rows} AND ({returning}))"
            )
        )

    def _going(self, mapping: MergeMap) -> MergeMap:
        return self.planned if mapping.table.name == self.planned.table.name else mapping

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


def _names(work: Work) -> tuple[str, str]:
    reference = work.referrer.references[0]
    return reference.label, reference.kind
