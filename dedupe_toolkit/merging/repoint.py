"""Repoints references, and what follows the rows that move because of that."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ..databases.names import derived
from ..databases.tables import OnMove
from ..journal.given import given_before
from ..models import MergeStep
from ..repointing.embedded_keys import Embedded, find_embedded
from ..repointing.followers import Follower, followers, key_once_moved, moved_by
from ..repointing.given import holding
from ..repointing.rows import (
    NEVER,
    are_merged,
    have_lost,
    repointed_rows,
    rows_that_stay,
    will_move_on,
    will_return,
)
from .strangers import refuse_strangers_of_movers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..mapping.mapping import MergeMap
    from ..planning.levels import Level
    from ..planning.session import Session
    from ..planning.tally import Tally
    from ..references.kinds import Reference
    from ..repointing.followers import Moves
    from .changes import Changes


@dataclass(frozen=True, kw_only=True)
class Course:
    """In the course of what a reference is repointed.

    ``applied`` is the mapping being applied, of which that of a follower is a consequence,
    ``moving`` are those of levels above that will move what the reference holds then, and
    ``ahead_of`` is journaled already and changed afterwards.
    """

    applied: MergeMap
    moving: Sequence[MergeMap] = ()
    ahead_of: Moves = ()


@dataclass(frozen=True, kw_only=True)
class Repointing:
    """Repoints references in the transaction of one batch."""

    session: Session
    changes: Changes
    tally: Tally
    planned: MergeMap
    """The mapping of the whole run: what a later batch merges counts as going, too."""
    top: Level
    """All that the batch does, as found before its first wave."""
    in_waves: bool
    """Whether that is done wave after wave: what goes in a later wave counts as going, too."""

    def repoint(self, one: Follower, course: Course) -> None:
        """Repoint a reference, and what follows the rows that move because of that."""
        referrer, reference, mapping = one.referrer, one.reference, one.mapping
        database = self.session.database
        staying = rows_that_stay(database, course.applied, referrer, reference)
        found = followers(self.session, mapping, referrer, reference, staying)
        ahead, following = self._in_order(found)
        passing = self._count_passing(one, course, staying)
        is_moving = ahead or following or reference.is_key
        moving = mapping.pointing(reference, database).but_for(staying)
        refuse_strangers_of_movers(self.session, referrer, reference, moving)
        with database.broken_foreign_keys() if is_moving else nullcontext():
            rows = self.changes.update(
                referrer.table,
                dict(zip(reference.columns, mapping.new(reference), strict=True)),
                moving,
                key=key_once_moved(database, referrer.table, course.ahead_of),
                root=mapping.root_at(reference, database),
                reason=MergeStep.Reason.REPOINTED,
                reference=reference.label,
                between=partial(self._go_ahead, ahead, one, course) if ahead else None,
            )
        self.tally.add(reference, repointed=rows - passing)
        if rows and reference.is_key:
            self.repoint_embedded(replace(mapping, table=referrer.table), course.ahead_of)
        for follower in following if rows else ():
            self._follow(one, follower, course)

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
        self.tally.add(reference, repointed=count)

    def _go_ahead(self, ahead: Sequence[Follower], of: Follower, course: Course) -> None:
        """Repoint what the database would otherwise change by itself, once the key has moved."""
        for one in ahead:
            moves = (*course.ahead_of, of)
            self.repoint(one, Course(applied=course.applied, ahead_of=moves))

    def _follow(self, moved: Follower, follower: Follower, course: Course) -> None:
        """What points at rows that just moved follows.

        Nothing pointed at where they are now before, so nothing can collide.
        """
        further = [
            moved_by(self.session, one, moved.referrer, moved.reference, follower.reference.targets)
            for one in course.moving
        ]
        self.repoint(follower, replace(course, moving=further))

    def _count_passing(self, one: Follower, course: Course, staying: Sequence[str]) -> int:
        """How many rows are about to be repointed that go, or are repointed again, anyway.

        Rows that come back to where they are now count twice: once more for their way back.
        """
        database, mapping, reference = self.session.database, one.mapping, one.reference
        going = " OR ".join(
            [self._are_going(course.applied, reference), *self._were_given(course.applied, one)]
        )
        onward = will_move_on(database, mapping, reference, course.moving)
        if going == onward == NEVER:
            return 0
        rows = repointed_rows(database, mapping, reference)
        rows += "".join(f" AND NOT ({condition})" for condition in staying)
        returning = will_return(database, mapping, reference, course.moving)
        return int(
            database.value(
                f"SELECT (SELECT COUNT(*) {rows} AND ({going} OR {onward}))"
                f" + (SELECT COUNT(*) {rows} AND ({returning}))"
            )
        )

    def _are_going(self, applied: MergeMap, reference: Reference) -> str:
        """SQL that is true for rows (``t``) that go in the course of the run."""
        database, table = self.session.database, reference.referrer._meta.db_table
        mapping = self.planned if applied.table.name == self.planned.table.name else applied
        found = [are_merged(database, mapping, reference)]
        for level in self.top.levels() if self.in_waves else ():
            if level is not self.top:
                found.append(are_merged(database, level.mapping, reference))
            losing = [work.rivals for work in level.works if work.referrer.table.name == table]
            found += [have_lost(database, rivals) for rivals in losing]
        return " OR ".join(condition for condition in found if condition != NEVER) or NEVER

    def _were_given(self, applied: MergeMap, one: Follower) -> Iterator[str]:
        """SQL that is true for rows (``t``) that an earlier batch gave what they point at: rivals
        that become one only now. The plan counts what rows hold at first."""
        journal, reference = self.changes.journal, one.reference
        if not applied.is_nested or journal.batch == 1:
            return
        if reference in holding(self.planned, self.session.database.using):
            return  # told when it was given
        yield from given_before(
            self.session.database,
            journal.run,
            journal.batch,
            one.referrer.table,
            reference.columns,
        )

    def repoint_embedded(self, mapping: MergeMap, ahead_of: Moves = ()) -> None:
        """Replace the keys of duplicates that stand inside larger values."""
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
            reason=MergeStep.Reason.REPOINTED,
            reference=embedded.reference.label,
        )
        self.tally.add(embedded.reference, repointed=rows)
