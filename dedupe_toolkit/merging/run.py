"""A run under way: slice after slice, the refused groups last, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, Error, transaction
from django.utils import timezone

from ..databases.retry import ATTEMPTS, SOME_ATTEMPTS, RowsChanged, RowsLocked, retried
from ..databases.waiting import is_told_within
from ..journal.runs import store_held
from ..mapping.groups import changed_groups
from ..mapping.whole_groups import copy_groups
from ..models import HeldGroup, MergeRun
from ..plan_values import ReferenceCount
from ..planning.levels import analyse
from ..planning.plan import held_groups
from ..planning.tally import Tally
from .batch import Batch, batch_transaction, patience_of
from .changes import refusal
from .locking import is_collision, lock_groups
from .refused import TOGETHER, Refused
from .sizes import pause_of, sizes_of
from .slices import Slices
from .throttle import give_way

if TYPE_CHECKING:
    from ..mapping.mapping import MergeMap
    from ..plan_values import MergePlan
    from ..planning.prepared import Prepared
    from ..planning.session import Session
    from .pace import Pace
    from .sizes import Sizes
    from .slices import Slice
    from .throttle import Throttle

Progress = Callable[[int, int], None]
"""Called with the number of groups done and of all groups, after every batch."""


@dataclass(kw_only=True)
class Run:
    """A run under way: what it has done so far."""

    plan: MergePlan
    ready: Prepared
    run: MergeRun
    progress: Progress | None
    pace: Pace
    throttles: Sequence[Throttle]
    stop: Callable[[], bool]
    slices: Slices = field(init=False)
    sizes: Sizes = field(init=False)
    refused: Refused = field(default_factory=Refused)
    is_waited_for: bool = False
    done: int = 0
    tally: Tally = field(default_factory=Tally)

    def to_the_end(self) -> MergeRun:
        """Carry the plan out; a run that is stopped is left saying so, with what it did so far."""
        try:
            return self.carry_out()
        except BaseException:
            if not self.ready.session.database.connection.in_atomic_block:
                with suppress(Error):  # what stopped the run is what must be told
                    self._recount()
                    self._save(MergeRun.Status.INTERRUPTED)
            raise

    def carry_out(self) -> MergeRun:
        self.tally.add_up(ReferenceCount(**count) for count in self.run.references)
        self.tally.mention(self.plan.references)
        last = self.plan.groups if self.plan.policy.limit is None else self.plan.policy.limit
        last = min(last, self.plan.groups)
        database, policy = self.ready.session.database, self.plan.policy
        self.sizes = sizes_of(database, policy, self.plan.groups)
        self.slices = Slices(last=last, in_order=self.ready.in_order)
        with database.keeping_work_tables() if last > self.sizes.size else nullcontext():
            while found := self._next_slice():
                self._merge_measured(*found)
                self._tell()
                if self._are_left and self._is_told_to_stop():
                    self._save(MergeRun.Status.INTERRUPTED)
                    return self.run
        self._save(MergeRun.Status.DONE)
        return self.run

    def _is_told_to_stop(self) -> bool:
        """Rest between two batches, and give way; whether to stop instead of going on."""
        rest = pause_of(self.ready.session.database, self.plan.policy)
        return is_told_within(rest, self.stop) or give_way(
            self.run, self.throttles, self._tell, self.stop
        )

    @property
    def _are_left(self) -> bool:
        return self.slices.are_left or bool(self.refused.why)

    def _next_slice(self) -> Slice | None:
        """The next slice, last of what was refused; what can no longer come again is held back."""
        found = self.slices.take(self.sizes.size)
        if found:
            return found
        if self.refused.come_again(self.run.merged):
            self._number_refused()
            return self.slices.take(max(self.sizes.size, TOGETHER))
        for number, why in self.refused.why.items():
            self._hold_culprit(number, *why)
        return None

    def _number_refused(self) -> None:
        database = self.ready.session.database
        with transaction.atomic(using=self.plan.using):
            self.ready.require()
            mapping, following = self.ready.mapping, self.slices.last + 1
            self.slices.add(*self.refused.numbered(database, mapping, following))

    def _merge_measured(self, first: int, last: int) -> None:
        began, self.is_waited_for = monotonic(), False
        self._merge_slice(first, last)
        took = monotonic() - began
        self.sizes.measured(last - first + 1, took, is_waited_for=self.is_waited_for)

    def _tell(self) -> None:
        if self.progress:
            self.progress(self.done, self.plan.groups)

    def _recount(self) -> None:
        """Count what is committed: a stop may fall between a batch's commit and its counting."""
        counted = ["batches", "merged", "rows_merged", "progressed", "seconds", "lock_seconds"]
        self.run.refresh_from_db(using=self.plan.using, fields=counted)
        held = HeldGroup.objects.using(self.plan.using).filter(run=self.run)
        self.run.groups_held_back = held.count()

    def _save(self, status: MergeRun.Status) -> None:
        self.run.status, self.run.waits_for = status, ""
        self.run.finished = timezone.now()
        self.run.references = [asdict(count) for count in self.tally.references]
        changed = ["status", "waits_for", "finished", "references", "groups_held_back"]
        self.run.save(using=self.plan.using, update_fields=changed)

    def _merge_slice(self, first: int, last: int, *, tightly: bool = False) -> None:
        """Merge the groups with these numbers; what fails is halved until the culprit is alone.

        Rows that have come to collide meanwhile are seen when the batch is analysed again; then it
        locks ``tightly``, so that nobody else adds any. What others hold comes later.
        """
        database = self.ready.session.database
        batch = partial(self._merge_batch, first, last, tightly=tightly)
        try:
            retried(database, batch, attempts=ATTEMPTS if first == last else SOME_ATTEMPTS)
            self.slices.succeeded()
            self.done += last - first + 1
        except RowsLocked as error:
            if not self.slices.put_off(first, last, error):
                self._hold_culprit(first, *refusal(error))
        except (DatabaseError, RowsChanged) as error:
            if isinstance(error, DatabaseError) and not database.is_caused_by_rows(error):
                raise
            if not tightly and is_collision(database, error):
                self._merge_slice(first, last, tightly=True)
            elif first == last:
                self._refuse(first, error)
            else:
                middle = (first + last) // 2
                self._merge_slice(first, middle, tightly=tightly)
                self._merge_slice(middle + 1, last, tightly=tightly)

    def _merge_batch(self, first: int, last: int, *, tightly: bool) -> None:
        session, tally = self.ready.session.for_batch(), Tally()
        database = session.database
        self.pace.lock()
        is_outermost = not database.connection.in_atomic_block
        patience = patience_of(database, self.plan.policy)
        with batch_transaction(database) as stack:
            if is_outermost:
                database.begin_batch()
                if not self._is_all(first, last):
                    database.expect_few_rows()
            # the first statement writes, so that SQLite takes its write lock before it reads
            self._update(batches=self.run.batches + 1)
            self.ready.require()
            stack.enter_context(database.exactly(patience=patience))
            mapping = self._locked(session, first, last, tightly=tightly)
            so_far = self._write(session, mapping, tally)
            self._update(**so_far)
            if is_outermost and self.sizes.seconds is not None and self._are_left:
                self.is_waited_for |= database.is_waited_for()
        for name, value in so_far.items():
            setattr(self.run, name, value)
        self.tally.add_up(tally.references)

    def _update(self, **values: Any) -> None:
        MergeRun.objects.using(self.plan.using).filter(pk=self.run.pk).update(**values)

    def _write(self, session: Session, mapping: MergeMap, tally: Tally) -> dict[str, Any]:
        """Write the batch of a mapping; returns what the run's row says once that is committed."""
        run = self.run
        changed_groups(session, mapping, self.plan.source)
        session.held.take_out(mapping)
        batch = Batch(
            session=session,
            run=run,
            number=run.batches + 1,
            tally=tally,
            planned=self.ready.mapping,
        )
        groups, rows = batch.write(analyse(session, mapping))
        return {
            "batches": batch.number,
            "merged": run.merged + groups,
            "rows_merged": run.rows_merged + rows,
            "groups_held_back": run.groups_held_back + self._store_held(session),
            **self.pace.measured(),
        }

    def _store_held(self, session: Session) -> int:
        held = held_groups(session, self.plan.source)
        return store_held(self.run, self.plan.source, held, self.plan.using)

    def _is_all(self, first: int, last: int) -> bool:
        return first == 1 and last == self.plan.groups

    def _locked(self, session: Session, first: int, last: int, *, tightly: bool) -> MergeMap:
        """The mapping of these groups, their rows locked."""
        database, mapping = session.database, self.ready.mapping
        if not self._is_all(first, last):
            mapping = copy_groups(
                database,
                mapping,
                session.work_table("map"),
                "group_number BETWEEN %s AND %s",
                [first, last],
            )
        lock_groups(session, mapping, tightly=tightly)
        return mapping

    def _refuse(self, number: int, error: DatabaseError | RowsChanged) -> None:
        """The group is tried again at the end, unless others or a trigger have their way with it:
        that does not end because groups are merged."""
        if isinstance(error, DatabaseError):
            self.refused.why[number] = refusal(error)
        else:
            self._hold_culprit(number, *refusal(error))

    def _hold_culprit(self, number: int, code: str, told: Mapping[str, str]) -> None:
        session = self.ready.session.for_batch()
        database, mapping = session.database, self.ready.mapping
        culprit = f"FROM {database.q(mapping.name)} x WHERE x.place = 0 AND x.group_number = %s"
        with transaction.atomic(using=self.plan.using):
            self.ready.require()
            session.held.add(code, culprit, [number], told=told)
            session.held.take_out(mapping)
            stored = self._store_held(session)
        self.run.groups_held_back += stored
        self.done += 1
