"""Carry out a merge plan: batch after batch, each one whole or not there at all (`batch`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from time import monotonic
from types import NoneType
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, Error, transaction
from django.utils import timezone

from ..arguments import checking_arguments, require_kind, shown
from ..databases.caching import caching
from ..databases.retry import (
    ATTEMPTS,
    SOME_ATTEMPTS,
    RowsChanged,
    RowsLocked,
    only_run,
    require_autocommit,
    retried,
)
from ..databases.waiting import is_told_within
from ..errors import InvalidOption
from ..finding.whole_texts import whole_texts
from ..journal.runs import carry_on, store_held, store_run
from ..mapping.groups import changed_groups
from ..mapping.whole_groups import copy_groups
from ..models import HeldGroup, MergeRun
from ..planning.levels import analyse
from ..planning.plan import held_groups
from ..planning.prepared import Prepared, take
from ..planning.tally import Tally
from ..values import MergePlan, ReferenceCount
from .batch import Batch, batch_transaction, patience_of
from .changes import refusal
from .locking import is_collision, lock_groups
from .pace import Pace
from .refused import TOGETHER, Refused
from .sizes import Sizes, pause_of, sizes_of
from .slices import Slice, Slices
from .throttle import Throttle, give_way, throttles

if TYPE_CHECKING:
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session

Progress = Callable[[int, int], None]
"""Called with the number of groups done and of all groups, after every batch."""


@checking_arguments
@caching()
def merge(
    plan: MergePlan,
    *,
    progress: Progress | None = None,
    by: Any = "",
    origin: str = MergeRun.Origin.CODE,
    run: MergeRun | None = None,
    wait: float = 0,
    max_lag: float | None = None,
    replicas: Sequence[str] = (),
    stop: Callable[[], bool] | None = None,
) -> MergeRun:
    """Merge the groups of a plan, and return the run that journals every row it changed.

    The run keeps ``by`` (a user, or a name) and ``origin``, a `MergeRun.Origin`. ``run`` is one
    that was begun earlier, to be carried on with the groups of this plan. ``wait`` is for how many
    seconds another merge of the model is waited for. With ``max_lag`` it waits between two batches
    while one of the ``replicas``, or of those that DATABASES declares, is further behind than so
    many seconds; and for as long as ``DEDUPE_THROTTLE`` says. The run tells what it waits for.
    ``stop`` is asked after each batch, and while it waits for the next, whether to end there: the
    run is ``interrupted`` then, and a new plan merges the rest. So it is while another merge is
    waited for, which ends like ``wait``.

    Each batch is one transaction with its part of the journal. Groups that turn out not to be
    mergeable are held back with their reason, and the others are merged. What is read again
    under lock and has changed since the plan is held back as well.

    Raises `PlanExpired` when the plan is not the latest of its connection, or when that is closed
    or given another session by a pooler: in the middle of a run, whole batches stay. Raises
    `MergeRefused` when another merge of the same model is running, or autocommit is off, and
    `InvalidOption` for what is no plan, and for an alias that is no replica. What a receiver of
    ``pre_merge`` raises ends the run, and so does an error of the database that no row is to blame
    for.
    """
    require_kind("merge()", plan, MergePlan, "a merge plan: merge(plan_merge(…))")
    require_kind("merge(run=…)", run, (MergeRun, NoneType), "a merge run or None")
    if origin not in MergeRun.Origin.values:
        raise InvalidOption(
            f"merge(): the origin is {', '.join(MergeRun.Origin.values)}, not {shown(origin)}"
        )
    ready = take(plan)
    database = ready.session.database
    require_autocommit(database, plan.source.label)
    asked = throttles(plan.using, max_lag, replicas)
    stop = stop or (lambda: False)
    with only_run(database, plan.source.model._meta.label, wait, stop):
        with transaction.atomic(using=plan.using):
            ready.require()
            begun = (
                store_run(plan, by, MergeRun.Origin(origin)) if run is None else carry_on(run, plan)
            )
        with whole_texts(plan.source, plan.using):
            return _Run(
                plan=plan,
                ready=ready,
                run=begun,
                progress=progress,
                pace=Pace(begun),
                throttles=asked,
                stop=stop,
            ).to_the_end()


@dataclass(kw_only=True)
class _Run:
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
        using, database = self.plan.using, session.database
        self.pace.lock()
        is_outermost = not database.connection.in_atomic_block
        patience = patience_of(database, self.plan.policy)
        with batch_transaction(database) as stack:
            if is_outermost:
                database.begin_batch()
                if not self._is_all(first, last):
                    database.expect_few_rows()
            # the first statement writes, so that SQLite takes its write lock before it reads
            batch = self.run.batches + 1
            MergeRun.objects.using(using).filter(pk=self.run.pk).update(batches=batch)
            self.ready.require()
            stack.enter_context(database.exactly(patience=patience))
            mapping = self._locked(session, first, last, tightly=tightly)
            changed_groups(session, mapping, self.plan.source)
            session.held.take_out(mapping)
            level = analyse(session, mapping)
            written = Batch(
                session=session,
                run=self.run,
                number=batch,
                tally=tally,
                planned=self.ready.mapping,
            )
            groups, rows = written.write(level)
            held = store_held(
                self.run, self.plan.source, held_groups(session, self.plan.source), using
            )
            so_far = {
                "merged": self.run.merged + groups,
                "rows_merged": self.run.rows_merged + rows,
                "groups_held_back": self.run.groups_held_back + held,
                **self.pace.measured(),
            }
            MergeRun.objects.using(using).filter(pk=self.run.pk).update(**so_far)
            if is_outermost and self.sizes.seconds is not None and self._are_left:
                self.is_waited_for |= database.is_waited_for()
        for name, value in {"batches": batch, **so_far}.items():
            setattr(self.run, name, value)
        self.tally.include(tally)

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
            held = held_groups(session, self.plan.source)
            stored = store_held(self.run, self.plan.source, held, self.plan.using)
        self.run.groups_held_back += stored
        self.done += 1
