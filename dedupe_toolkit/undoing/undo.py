"""Undo a merge run, or some of its groups: swap before and after, last step first.

The database went through certain states on its way forward; undo takes it back through the same
states, so whatever held then holds again. Together with ``write`` the only writer of users' rows.
"""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import DatabaseError, transaction

from ..arguments import checking_arguments, require_kind
from ..databases import Database, database
from ..databases.caching import caching
from ..databases.retry import require_autocommit, retried
from ..databases.tables import Table, require_all_rows, require_table
from ..errors import InvalidOption, MergeRefused, UndoRefused
from ..journal.old_keys import key_text
from ..journal.reading import merged_groups, merged_pairs, merged_rows
from ..keys import check_alias
from ..models import MergeRun, MergeStep
from ..references.discover import columns_pointed_at
from ..reviewing.dismissals import dismiss_groups
from ..sentences import Sentence
from ..signals import post_undo
from .dangling import dangling
from .obstacles import Obstacles
from .restore import Restored, fill_restored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from django.db.models import Model

Action = MergeStep.Action


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo restored: how many rows came back, and how many got values back."""

    run: int
    restored: int
    changed: int


@checking_arguments
def undo(
    run: MergeRun | int,
    *,
    using: str = "default",
    survivors: Sequence[Any] | None = None,
    dry_run: bool = False,
    dismiss: bool = False,
    by: str = "",
    note: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Undone:
    """Restore every row and column that a run changed, to the exact values before.

    ``survivors`` are primary keys: only the groups merged into these rows are undone. With
    ``dry_run`` everything is tried and nothing kept. With ``dismiss`` each group undone is
    dismissed for the key of the run, so that the next merge leaves it alone; ``by`` and ``note``
    say who gave that verdict and why. All in one transaction.

    Raises `MergeRefused` while a merge of the model is running, or with autocommit off;
    `UndoRefused`, listing what is in the way and having written nothing, when a row has been
    changed since or cannot come back; `InvalidOption` for a run or group that is not there;
    `InvalidMatchKey` for what cannot be a primary key of the model, and where rows are hidden.
    """
    check_alias(using)
    require_kind("undo()", run, (MergeRun, int), "a merge run or its number")
    require_kind("undo(by=…)", by, str, "a name")
    require_table(MergeRun, using)
    found = _find(run, using)
    dialect = database(using)
    require_autocommit(dialect, found.model)
    with dialect.run_lock(found.model) as is_ours:
        if not is_ours:
            raise MergeRefused(Sentence("merged meanwhile", model=found.model))
        # again: until the lock was ours, another undo may have come first
        found = _find(run, using)
        undoing = _Undo(
            database=dialect,
            run=found,
            survivors=_texts(found, survivors, using),
            verdict=partial(dismiss_groups, by=by, note=note) if dismiss else None,
        )
        return retried(dialect, partial(_at_once, undoing, dry_run, progress))


def _at_once(undoing: _Undo, dry_run: bool, progress: Callable[[int, int], None] | None) -> Undone:
    using, run = undoing.database.using, undoing.run
    with caching(), transaction.atomic(using=using):
        # the first statement writes, so that SQLite takes its write lock before it reads
        MergeRun.objects.using(using).filter(pk=run.pk).update(undone=run.undone)
        with undoing.database.restoring():
            done = undoing.carry_out(progress)
        if dry_run:
            transaction.set_rollback(True, using=using)
    return done


def _find(run: MergeRun | int, using: str) -> MergeRun:
    number = run.pk if isinstance(run, MergeRun) else run
    found = MergeRun.objects.using(using).filter(pk=number).first()
    if found is None:
        raise InvalidOption(Sentence("no run", run=number, using=repr(using)))
    if found.status == MergeRun.Status.UNDONE:
        raise InvalidOption(Sentence("undone", run=number))
    if found.status == MergeRun.Status.PRUNED:
        raise InvalidOption(Sentence("pruned", run=number))
    return found


def _texts(run: MergeRun, survivors: Sequence[Any] | None, using: str) -> list[str] | None:
    """The keys as the journal names them; checked to be survivors of the run."""
    if survivors is None:
        return None
    texts = [key_text(_model(run.model), pk, using) for pk in survivors]
    merged = merged_rows(run, using).filter(survivor__in=texts)
    known = set(merged.values_list("survivor", flat=True))
    for pk, text in zip(survivors, texts, strict=True):
        if text not in known or text in run.undone:
            code = "group undone" if text in known else "no survivor"
            raise InvalidOption(Sentence(code, run=run.pk, model=run.model, row=pk))
    return texts


def _model(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except LookupError:
        raise UndoRefused(Sentence("no model", label=label)) from None


@dataclass(frozen=True, kw_only=True)
class _Undo:
    database: Database
    run: MergeRun
    survivors: list[str] | None
    verdict: Callable[..., None] | None = None
    """Dismisses the groups that were undone."""
    is_careful: bool = False
    """Whether each step can be refused by itself, so that all that is in the way is found."""

    def carry_out(self, progress: Callable[[int, int], None] | None) -> Undone:
        using = self.database.using
        steps = list(MergeStep.objects.using(using).filter(run=self.run).order_by("-pk"))
        models = {_model(step.model): None for step in steps}
        require_all_rows(models, using)
        self.database.read_tables(models)
        obstacles, counts = self._take_all_back(steps, progress)
        obstacles.refuse()
        for line in dangling(self.database, [(_model(step.model), step) for step in steps]):
            obstacles.add(line)
        obstacles.refuse()
        self._check(obstacles)
        if self.verdict:
            run, groups = self.run, merged_groups(self.run, using, self.survivors)
            self.verdict(_model(run.model), run.fields, groups, using=using)
        self._mark()
        return Undone(
            run=self.run.pk, restored=counts[Action.DELETE], changed=counts[Action.UPDATE]
        )

    def _take_all_back(
        self, steps: Sequence[MergeStep], progress: Callable[[int, int], None] | None
    ) -> tuple[Obstacles, Counter[str]]:
        """All steps, as if nothing were in the way; and again one by one where something is."""
        try:
            with transaction.atomic(using=self.database.using):
                return self._in_turn(steps, progress)
        except DatabaseError as error:
            if not self.database.is_caused_by_rows(error):
                raise
        return replace(self, is_careful=True)._in_turn(steps, progress)

    def _in_turn(
        self, steps: Sequence[MergeStep], progress: Callable[[int, int], None] | None
    ) -> tuple[Obstacles, Counter[str]]:
        obstacles, counts = Obstacles(self.database, self.run), Counter[str]()
        for number, step in enumerate(steps, start=1):
            counts[step.action] += self._take_back(step, obstacles)
            if progress:
                progress(number, len(steps))
        return obstacles, counts

    def _by_itself(self) -> AbstractContextManager[Any]:
        """Around a statement that may be refused: what it did can be taken back, if need be."""
        if not self.is_careful:
            return nullcontext()
        return transaction.atomic(using=self.database.using)

    def _take_back(self, step: MergeStep, obstacles: Obstacles) -> int:
        table = self.database.table(_model(step.model))
        gone = [name for name in step.columns if name not in {c.name for c in table.columns}]
        if gone:
            told = Sentence("no column", model=step.model, fields=gone, run=self.run.pk)
            raise UndoRefused(told)
        restored = fill_restored(self.database, table, step, self.survivors, self.run.undone)
        if not restored.rows:
            return 0
        self.database.lock_rows(table, restored.named)
        if step.action == Action.DELETE:
            return self._bring_back(table, step, restored, obstacles)
        return self._set_back(table, step, restored, obstacles)

    def _bring_back(
        self, table: Table, step: MergeStep, restored: Restored, obstacles: Obstacles
    ) -> int:
        if obstacles.find_present(table, step, restored):
            return 0
        names = ", ".join(map(self.database.q, step.columns))
        rows = f"SELECT {', '.join(restored.values)} FROM {self.database.q(restored.name)}"
        try:
            with self._by_itself():
                came = self.database.run(
                    f"INSERT INTO {self.database.q(table.name)} ({names})"
                    f" {self.database.overriding} {rows}"
                )
        except DatabaseError as error:
            if not (self.is_careful and self.database.is_caused_by_rows(error)):
                raise
            if not obstacles.find_taken(table, step, restored):
                obstacles.add_error(step, error)
            return 0
        obstacles.expect(step, restored.rows, came)
        return came

    def _set_back(
        self, table: Table, step: MergeStep, restored: Restored, obstacles: Obstacles
    ) -> int:
        if obstacles.find_changed(table, step, restored):
            return 0
        assigned = dict(zip(step.columns, restored.values, strict=True))
        try:
            with self._by_itself(), self._following(table, step):
                changed = self.database.update(
                    table.name, assigned, restored.named, keep=table.restless
                )
        except DatabaseError as error:
            if not (self.is_careful and self.database.is_caused_by_rows(error)):
                raise
            obstacles.add_error(step, error)
            return 0
        obstacles.expect(step, restored.rows, changed)
        return changed

    def _following(self, table: Table, step: MergeStep) -> AbstractContextManager[Any]:
        """Around a step after which what others point at is elsewhere, until they follow.

        And around any that may have nothing to point at any more: that is told with its row.
        """
        is_moving = not columns_pointed_at(table.model).isdisjoint(step.columns)
        is_open = is_moving or self.is_careful
        return self.database.broken_foreign_keys() if is_open else nullcontext()

    def _check(self, obstacles: Obstacles) -> None:
        try:
            with transaction.atomic(using=self.database.using):
                self.database.check_constraints_now()
        except DatabaseError as error:
            if not self.database.is_caused_by_rows(error):
                raise
            obstacles.add_error(None, error)
            obstacles.refuse()

    def _mark(self) -> None:
        using = self.database.using
        if self.survivors is None:
            self.run.status = MergeRun.Status.UNDONE
        else:
            self.run.undone = [*self.run.undone, *self.survivors]
        self.run.save(using=using)
        pairs = partial(merged_pairs, self.run, using)
        sender = _model(self.run.model)
        transaction.on_commit(
            partial(post_undo.send_robust, sender=sender, run=self.run, using=using, pairs=pairs),
            using=using,
        )
