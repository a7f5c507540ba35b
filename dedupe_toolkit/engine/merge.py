"""Carry out a merge plan: batch after batch, each one whole or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, Error, transaction
from django.utils import timezone

from ..databases.asking import asking_once
from ..errors import MergeRefused
from ..models import MergeRun
from ..signals import post_merge, pre_merge
from .changes import Changes, RowsChanged
from .groups import changed_groups
from .journal import Journal
from .journal_reading import merged_pairs
from .levels import Level, analyse
from .mapping import Mapping, copy_groups, count_groups
from .plan import Prepared, held_groups, take_prepared
from .recheck import are_rivals_locked, lock_rivals
from .retry import until_settled
from .stored_run import store_held, store_run
from .tally import Tally
from .write import Writer

if TYPE_CHECKING:
    from ..values import MergePlan
    from .session import Session

Progress = Callable[[int, int], None]
"""Called with the number of groups done and of all groups, after every batch."""

# since the plan, at the first batch: the one that stored the run, and the batch itself
_OWN_TRANSACTIONS = 2


@asking_once()
def merge(plan: MergePlan, *, progress: Progress | None = None) -> MergeRun:
    """Merge the groups of a plan, and return the run that journals every row it changed.

    Each batch is one transaction with its part of the journal. Groups that turn out not to be
    mergeable are held back with their reason, and the others are merged. What is read again
    under lock and has changed since the plan is held back as well.

    Raises `PlanExpired` when the plan is not the latest of its connection, and `MergeRefused`
    when another merge of the same model is running.
    """
    ready = take_prepared(plan)
    is_untouched = ready.session.database.own_writes() == ready.seen[0]
    with ready.session.database.run_lock(plan.source.model._meta.label) as is_ours:
        if not is_ours:
            raise MergeRefused(
                f"{plan.source.label}: another merge of this model is running; wait until it ends"
            )
        run = _Run(
            plan=plan,
            ready=ready,
            run=_start(plan),
            progress=progress,
            is_untouched=is_untouched,
        )
        return run.to_the_end()


def _start(plan: MergePlan) -> MergeRun:
    with transaction.atomic(using=plan.using):  # see _OWN_TRANSACTIONS
        return store_run(plan)


@dataclass(kw_only=True)
class _Run:
    """A run under way: what it has done so far."""

    plan: MergePlan
    ready: Prepared
    run: MergeRun
    progress: Progress | None
    is_untouched: bool
    tally: Tally = field(default_factory=Tally)
    done: int = 0

    def to_the_end(self) -> MergeRun:
        """Carry the plan out; a run that is stopped is left saying so, with what it did so far."""
        try:
            return self.carry_out()
        except BaseException:
            if not self.ready.session.database.connection.in_atomic_block:
                with suppress(Error):  # what stopped the run is what must be told
                    self._save(MergeRun.Status.INTERRUPTED)
            raise

    def carry_out(self) -> MergeRun:
        self.tally.mention(self.plan.references)
        last = self.plan.groups if self.plan.policy.limit is None else self.plan.policy.limit
        for first, last_of_batch in _slices(self._last_group(last), self._batch_size()):
            self._merge_slice(first, last_of_batch)
            self.done = last_of_batch
            if self.progress:
                self.progress(last_of_batch, self.plan.groups)
        self._save(MergeRun.Status.DONE)
        return self.run

    def _save(self, status: MergeRun.Status) -> None:
        self.run.status = status
        self.run.finished = timezone.now()
        self.run.references = [asdict(count) for count in self.tally.references]
        self.run.save(using=self.plan.using)

    def _last_group(self, at_most: int) -> int:
        return min(at_most, self.plan.groups)

    def _batch_size(self) -> int:
        size = self.plan.policy.batch_size
        if size is None:
            size = self.ready.session.database.batch_size
        return size or max(self.plan.groups, 1)

    def _merge_slice(self, first: int, last: int) -> None:
        """Merge the groups with these numbers; what fails is halved until the culprit is alone."""
        database = self.ready.session.database
        try:
            until_settled(database, partial(self._merge_batch, first, last))
        except DatabaseError as error:
            if not database.blames_rows(error):
                raise
            if first == last:
                self._hold_culprit(first, error)
                return
            middle = (first + last) // 2
            self._merge_slice(first, middle)
            self._merge_slice(middle + 1, last)

    def _merge_batch(self, first: int, last: int) -> None:
        session, tally = self.ready.session.for_batch(), Tally()
        using, database = self.plan.using, session.database
        is_outermost = not database.connection.in_atomic_block
        with transaction.atomic(using=using):
            if is_outermost:
                database.begin_batch()
                if not self._is_all(first, last):
                    database.expect_few_rows()
            # the first statement writes, so that SQLite takes its write lock before it reads
            batch = self.run.batches + 1
            MergeRun.objects.using(using).filter(pk=self.run.pk).update(batches=batch)
            mapping = self._locked(session, first, last)
            level = self._as_planned(session, first, last) or self._found_again(session, mapping)
            groups, rows = self._write(session, level, batch, tally)
            held = store_held(self.run, held_groups(session, self.plan.source), using)
            so_far = {
                "merged": self.run.merged + groups,
                "rows_merged": self.run.rows_merged + rows,
                "groups_held_back": self.run.groups_held_back + held,
            }
            MergeRun.objects.using(using).filter(pk=self.run.pk).update(**so_far)
        self.run.batches = batch
        self.run.groups_held_back += held
        self.run.merged += groups
        self.run.rows_merged += rows
        self.tally.include(tally)

    def _is_all(self, first: int, last: int) -> bool:
        return first == 1 and last == self.plan.groups

    def _as_planned(self, session: Session, first: int, last: int) -> Level | None:
        """What the plan found, if it is for all groups and nobody can have written since."""
        level = self.ready.level
        if level is None or not (self._is_all(first, last) and self.is_untouched):
            return None
        self.is_untouched = False  # this batch writes, and may be tried again
        if not self._is_quiet():
            return None
        lock_rivals(session, level)
        # what collides cannot change from here on; if nobody has written yet, it has not changed
        return level if self._is_quiet() else None

    def _is_quiet(self) -> bool:
        """Whether no other connection has committed since the plan began."""
        commits = self.ready.session.database.others_commits(own=_OWN_TRANSACTIONS)
        return bool(commits == self.ready.seen[1])

    def _locked(self, session: Session, first: int, last: int) -> Mapping:
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
        database.lock_rows(mapping.table, mapping.name, mapping.on_key)
        return mapping

    def _found_again(self, session: Session, mapping: Mapping) -> Level:
        """What merging these groups does, found under lock."""
        changed_groups(session, mapping, self.plan.source)
        session.held.take_out(mapping)
        return analyse(session, mapping)

    def _write(self, session: Session, level: Level, batch: int, tally: Tally) -> tuple[int, int]:
        database, mapping = session.database, level.mapping
        groups = count_groups(database, mapping)
        if not groups:
            return 0, 0
        context = {"sender": self.plan.source.model, "run": self.run, "using": self.plan.using}
        pre_merge.send(**context, pairs=partial(_planned_pairs, session, mapping))
        if self._can_differ(level) and not are_rivals_locked(session, level):
            raise RowsChanged("rows that collide have been changed meanwhile")
        journal = Journal(database=database, run=self.run, batch=batch)
        writer = Writer(
            session=session,
            changes=Changes(database=database, journal=journal),
            rules=self.ready.rules,
            tally=tally,
            planned=self.ready.mapping,
        )
        rows = writer.apply(level)
        database.check_constraints_now()
        pairs = partial(merged_pairs, self.run, self.plan.using, batch)
        transaction.on_commit(
            partial(post_merge.send_robust, **context, pairs=pairs), using=self.plan.using
        )
        return groups, rows

    def _can_differ(self, level: Level) -> bool:
        """Whether others or a receiver may have changed rows that collide since the comparison."""
        is_settled = level is self.ready.level or self.ready.session.database.is_alone_in_batch
        return not is_settled or pre_merge.has_listeners(self.plan.source.model)

    def _hold_culprit(self, number: int, error: DatabaseError) -> None:
        session = self.ready.session.for_batch()
        database, mapping = session.database, self.ready.mapping
        sentence = " ".join(str(error).split()).replace("{", "{{").replace("}", "}}")
        session.held.add(
            f"the database refuses it: {sentence}",
            f"FROM {database.q(mapping.name)} x WHERE x.place = 0 AND x.group_number = %s",
            [number],
        )
        session.held.take_out(mapping)
        held = held_groups(session, self.plan.source)
        self.run.groups_held_back += store_held(self.run, held, self.plan.using)


def _slices(last: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(1, last + 1, size):
        yield first, min(first + size - 1, last)


def _planned_pairs(session: Session, mapping: Mapping) -> Iterator[tuple[str, str]]:
    """The pairs of a batch about to be merged, keys as text."""
    database = session.database
    keys = [
        database.key_text(list(zip(mapping.table.pk, database.qualified("m", side), strict=True)))
        for side in (mapping.members, mapping.survivors)
    ]
    rows: list[Any] = database.fetch(
        f"SELECT {', '.join(keys)} FROM {database.q(mapping.name)} m WHERE m.place > 0"
    )
    yield from rows
