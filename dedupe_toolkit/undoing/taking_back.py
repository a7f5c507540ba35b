"""A run taken back: before and after are swapped, last step first.

The database went through certain states on its way forward; undo takes it back through the same
states, so whatever held then holds again. Together with ``write`` the only writer of users' rows.
"""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import DatabaseError, transaction

from ..databases.rights import Right
from ..databases.tables import require_all_rows
from ..errors import UndoRefused
from ..journal.reading import merged_groups, merged_pairs
from ..models import MergeRun, MergeStep
from ..references.discover import columns_pointed_at
from ..sentences import Sentence
from ..signals import post_undo
from .dangling import dangling
from .obstacles import Obstacles
from .restore import fill_restored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Table
    from .restore import Restored

Action = MergeStep.Action


def model_of(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except LookupError:
        raise UndoRefused(Sentence("no model", label=label)) from None


def _rights(database: Database, step: MergeStep) -> Iterator[Right]:
    """What taking a step back takes."""
    table, columns = database.table(model_of(step.model)), tuple(step.columns)
    yield Right("LOCK", table.name)
    if step.action == Action.DELETE:
        yield Right("INSERT", table.name, columns)
    else:
        yield Right("UPDATE", table.name, (*columns, *table.restless))


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """A run, or some of its groups, on the way back to what was before."""

    database: Database
    run: MergeRun
    survivors: list[str] | None
    verdict: Callable[..., None] | None
    """Dismisses the groups that were undone."""
    progress: Callable[[int, int], None] | None
    is_careful: bool = False
    """Whether each step can be refused by itself, so that all that is in the way is found."""

    def carry_out(self) -> Counter[str]:
        """Take all steps back; returns how many rows came back and changed, by action undone."""
        using = self.database.using
        steps = list(MergeStep.objects.using(using).filter(run=self.run).order_by("-pk"))
        models = {model_of(step.model): None for step in steps}
        require_all_rows(models, using)
        self.database.read_tables(models)
        for step in steps:
            self._require_columns(step)
        for lacking in self.database.told_lacking(
            chain(*(_rights(self.database, step) for step in steps))
        ):
            raise UndoRefused(lacking)
        obstacles, counts = self._take_all_back(steps)
        obstacles.refuse()
        for line in dangling(self.database, [(model_of(step.model), step) for step in steps]):
            obstacles.add(line)
        obstacles.refuse()
        self._check(obstacles)
        if self.verdict:
            run, groups = self.run, merged_groups(self.run, using, self.survivors)
            self.verdict(model_of(run.model), run.fields, groups, using=using)
        self._mark()
        return counts

    def _require_columns(self, step: MergeStep) -> None:
        known = {column.name for column in self.database.table(model_of(step.model)).columns}
        if gone := [name for name in step.columns if name not in known]:
            told = Sentence("no column", model=step.model, fields=gone, run=self.run.pk)
            raise UndoRefused(told)

    def _take_all_back(self, steps: Sequence[MergeStep]) -> tuple[Obstacles, Counter[str]]:
        """All steps, as if nothing were in the way; and again one by one where something is."""
        try:
            with transaction.atomic(using=self.database.using):
                return self._in_turn(steps)
        except DatabaseError as error:
            if not self.database.is_caused_by_rows(error):
                raise
        return replace(self, is_careful=True)._in_turn(steps)

    def _in_turn(self, steps: Sequence[MergeStep]) -> tuple[Obstacles, Counter[str]]:
        obstacles, counts = Obstacles(self.database, self.run), Counter[str]()
        for number, step in enumerate(steps, start=1):
            counts[step.action] += self._take_back(step, obstacles)
            if self.progress:
                self.progress(number, len(steps))
        return obstacles, counts

    def _by_itself(self) -> AbstractContextManager[Any]:
        """Around a statement that may be refused: what it did can be taken back, if need be."""
        if not self.is_careful:
            return nullcontext()
        return transaction.atomic(using=self.database.using)

    def _take_back(self, step: MergeStep, obstacles: Obstacles) -> int:
        table = self.database.table(model_of(step.model))
        try:
            with self._by_itself():
                restored = fill_restored(
                    self.database, table, step, self.survivors, self.run.undone
                )
        except DatabaseError as error:
            self._add_error(obstacles, step, error)
            return 0
        if not restored.rows or obstacles.find_altered(step, restored):
            return 0
        self.database.lock_rows(table, restored.named)
        if step.action == Action.DELETE:
            return self._bring_back(step, restored, obstacles)
        return self._set_back(step, restored, obstacles)

    def _bring_back(self, step: MergeStep, restored: Restored, obstacles: Obstacles) -> int:
        if obstacles.find_present(step, restored):
            return 0
        names = ", ".join(map(self.database.q, step.columns))
        rows = f"SELECT {', '.join(restored.values)} FROM {self.database.q(restored.name)}"
        try:
            with self._by_itself():
                came = self.database.run(
                    f"INSERT INTO {self.database.q(restored.table.name)} ({names})"
                    f" {self.database.overriding} {rows}"
                )
        except DatabaseError as error:
            if not (self.is_careful and obstacles.find_taken(step, restored)):
                self._add_error(obstacles, step, error)
            return 0
        obstacles.expect(step, restored.rows, came)
        return came

    def _set_back(self, step: MergeStep, restored: Restored, obstacles: Obstacles) -> int:
        if obstacles.find_changed(step, restored):
            return 0
        table = restored.table
        assigned = dict(zip(step.columns, restored.values, strict=True))
        try:
            with self._by_itself(), self._following(table, step):
                changed = self.database.update(
                    table.name, assigned, restored.named, keep=table.restless
                )
        except DatabaseError as error:
            self._add_error(obstacles, step, error)
            return 0
        obstacles.expect(step, restored.rows, changed)
        return changed

    def _add_error(self, obstacles: Obstacles, step: MergeStep, error: DatabaseError) -> None:
        """What the database refuses is in the way, unless no row is to blame for it."""
        if not (self.is_careful and self.database.is_caused_by_rows(error)):
            raise error
        obstacles.add_error(step, error)

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
        sender = model_of(self.run.model)
        transaction.on_commit(
            partial(post_undo.send_robust, sender=sender, run=self.run, using=using, pairs=pairs),
            using=using,
        )
