"""Undo a merge run, or some of its groups: swap before and after, last step first.

The database went through certain states on its way forward; undo takes it back through the same
states, so whatever held then holds again. Together with ``write`` the only writer of users' rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import IntegrityError, connections, transaction

from ..databases import Database, database
from ..databases.tables import Table, pk_fields, require_table
from ..errors import DedupeError, InvalidOption, MergeRefused, UndoRefused
from ..keys import check_alias, primary_key
from ..models import MergeRun, MergeStep
from ..signals import post_undo
from .journal_reading import merged_pairs, merged_rows
from .obstacles import Obstacles
from .restore import Restored, fill_restored
from .retry import until_settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import Model

Action = MergeStep.Action


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What an undo restored: how many rows came back, and how many got values back."""

    run: int
    restored: int
    changed: int


def undo(
    run: MergeRun | int,
    *,
    using: str = "default",
    survivors: Sequence[Any] | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Undone:
    """Restore every row and column that a run changed, to the exact values before.

    ``survivors`` are primary keys: only the groups merged into these rows are undone. With
    ``dry_run`` everything is tried and nothing kept. All in one transaction.

    Raises `UndoRefused`, listing what is in the way and having written nothing, when a row has
    been changed since or cannot come back; `InvalidOption` for a run or group that is not there;
    `InvalidMatchKey` for what cannot be a primary key of the model.
    """
    check_alias(using)
    require_table(MergeRun, using)
    found = _find(run, using)
    dialect = database(using)
    with dialect.run_lock(found.model) as is_ours:
        if not is_ours:
            raise MergeRefused(f"{found.model}: a merge of this model is running; wait for its end")
        # again: until the lock was ours, another undo may have come first
        found = _find(run, using)
        undoing = _Undo(database=dialect, run=found, survivors=_texts(found, survivors, using))
        return until_settled(dialect, partial(_at_once, undoing, dry_run, progress))


def _at_once(undoing: _Undo, dry_run: bool, progress: Callable[[int, int], None] | None) -> Undone:
    using, run = undoing.database.using, undoing.run
    with transaction.atomic(using=using):
        # the first statement writes, so that SQLite takes its write lock before it reads
        MergeRun.objects.using(using).filter(pk=run.pk).update(undone=run.undone)
        done = undoing.carry_out(progress)
        if dry_run:
            transaction.set_rollback(True, using=using)
    return done


def _find(run: MergeRun | int, using: str) -> MergeRun:
    number = run.pk if isinstance(run, MergeRun) else run
    found = MergeRun.objects.using(using).filter(pk=number).first()
    if found is None:
        raise InvalidOption(f"there is no merge run {number} in database {using!r}")
    if found.status == MergeRun.Status.UNDONE:
        raise InvalidOption(f"merge run {number} has been undone already")
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
            what = "has been undone already" if text in known else "is no survivor"
            raise InvalidOption(f"merge run {run.pk}: {run.model} {pk} {what}")
    return texts


def key_text(model: type[Model], pk: Any, using: str) -> str:
    """A primary key as the journal names it; taken as text, too, and composite as a JSON list.

    Raises `InvalidMatchKey` for what cannot be a key of the model.
    """
    fields, key = pk_fields(model), primary_key(model, pk)
    texts = [
        str(field.get_db_prep_value(value, connections[using]))
        for field, value in zip(fields, key if len(fields) > 1 else [key], strict=True)
    ]
    if len(texts) == 1:
        return texts[0]
    dialect = database(using)
    columns = dialect.table(model).pk
    typed = [f"{dialect.from_key_text('%s', 0, [c])} AS k{n}" for n, c in enumerate(columns)]
    # an image may need a value more than once
    image = dialect.key_text([(column, f"k.k{n}") for n, column in enumerate(columns)])
    return str(dialect.value(f"SELECT {image} FROM (SELECT {', '.join(typed)}) k", texts))


def _model(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except LookupError:
        raise UndoRefused(
            f"model {label} does not exist any more: its rows cannot be restored"
        ) from None


@dataclass(frozen=True, kw_only=True)
class _Undo:
    database: Database
    run: MergeRun
    survivors: list[str] | None

    def carry_out(self, progress: Callable[[int, int], None] | None) -> Undone:
        using = self.database.using
        steps = list(MergeStep.objects.using(using).filter(run=self.run).order_by("-pk"))
        obstacles = Obstacles(self.database, self.run)
        counts = {Action.DELETE: 0, Action.UPDATE: 0}
        for number, step in enumerate(steps, start=1):
            counts[Action(step.action)] += self._take_back(step, obstacles)
            if progress:
                progress(number, len(steps))
        obstacles.refuse()
        self._check(obstacles)
        self._mark()
        return Undone(
            run=self.run.pk, restored=counts[Action.DELETE], changed=counts[Action.UPDATE]
        )

    def _take_back(self, step: MergeStep, obstacles: Obstacles) -> int:
        table = self.database.table(_model(step.model))
        gone = [name for name in step.columns if name not in {c.name for c in table.columns}]
        if gone:
            raise UndoRefused(
                f"{step.model} has no column {', '.join(gone)} any more: migrate back to where it"
                f" had, then undo merge run {self.run.pk}"
            )
        restored = fill_restored(self.database, table, step, self.survivors, self.run.undone)
        if not restored.rows:
            return 0
        self.database.lock_rows(table, restored.name, restored.on_key)
        if step.action == Action.DELETE:
            return self._bring_back(table, step, restored, obstacles)
        return self._set_back(table, step, restored, obstacles)

    def _bring_back(
        self, table: Table, step: MergeStep, restored: Restored, obstacles: Obstacles
    ) -> int:
        if obstacles.find_present(table, step, restored):
            return 0
        names = ", ".join(map(self.database.q, step.columns))
        values = ", ".join(restored.values)
        try:
            with transaction.atomic(using=self.database.using):
                return self.database.run(
                    f"INSERT INTO {self.database.q(table.name)} ({names})"
                    f" SELECT {values} FROM {self.database.q(restored.name)}"
                )
        except IntegrityError as error:
            if not obstacles.find_taken(table, step, restored):
                obstacles.add_error(step, error)
            return 0

    def _set_back(
        self, table: Table, step: MergeStep, restored: Restored, obstacles: Obstacles
    ) -> int:
        if obstacles.find_changed(table, step, restored):
            return 0
        assigned = dict(zip(step.columns, restored.values, strict=True))
        try:
            with (
                transaction.atomic(using=self.database.using),
                self.database.broken_foreign_keys(),
            ):
                changed = self.database.update(
                    table.name, assigned, source=restored.name, on=restored.on_key
                )
        except IntegrityError as error:
            obstacles.add_error(step, error)
            return 0
        if changed != restored.rows:
            raise DedupeError(f"{step.model}: {restored.rows} rows to set back, {changed} changed")
        return changed

    def _check(self, obstacles: Obstacles) -> None:
        try:
            with transaction.atomic(using=self.database.using):
                self.database.check_constraints_now()
        except IntegrityError as error:
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
