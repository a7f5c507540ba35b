"""The journal: every row a merge changes is written down before it is changed, by the database."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

from ..models import MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Column, Table
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


_CHUNK = 500
"""Steps named in one statement at most."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """SQL for a key under which there is no row any more, and for the one it lives on under."""

    key: Sequence[str]
    into: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Writes the row changes of one batch of a run; `complete` it at the end."""

    database: Database
    run: MergeRun
    batch: int
    _steps: list[MergeStep] = field(default_factory=list)
    _ahead: dict[Any, MergeStep] = field(default_factory=dict)

    def record(
        self,
        table: Table,
        *,
        action: MergeStep.Action,
        reason: MergeStep.Reason,
        source: str,
        key: Sequence[str],
        root: str,
        columns: Sequence[Column],
        before: Sequence[str],
        after: Sequence[str] | None,
        gone: Gone | None,
        reference: str,
    ) -> int:
        """Write down the changes of one statement to come; returns how many rows it must change.

        ``source`` is SQL from FROM on; ``key``, ``before`` and ``after`` are SQL for the row's
        primary key and for the values of ``columns``; None where the row is gone then. ``gone``
        tells of a key that leads to another row from then on.
        """
        step = self._step(table, action=action, reason=reason, columns=columns, reference=reference)
        expected = _place(step) in self._ahead
        step = self._ahead.pop(_place(step)) if expected else self._stored(step)
        row, merged, into = (
            self.database.key_text(table.pk, values) if values else "NULL"
            for values in (key, gone and gone.key, gone and gone.into)
        )
        images = [self._image(columns, values) for values in (before, after)]
        names = ["step_id", "row", "survivor", "merged", "into", "before", "after"]
        journal = RowChange._meta.db_table
        written = self.database.insert_numbered(
            f"INSERT INTO {self.database.q(journal)} ({', '.join(map(self.database.q, names))})"
            f" SELECT {step.pk}, {row}, {root}, {merged}, {into}, {', '.join(images)} {source}",
            journal,
        )
        if written.rows:
            step.rows, step.first_change, step.last_change = astuple(written)
        return written.rows

    def _step(
        self,
        table: Table,
        *,
        action: MergeStep.Action,
        reason: MergeStep.Reason,
        columns: Sequence[Column],
        reference: str,
    ) -> MergeStep:
        """A step of this batch, not stored yet."""
        return MergeStep(
            run_id=self.run.pk,  # routers may allow no relation in a database they do not name
            batch=self.batch,
            model=table.model._meta.label,
            reference=reference,
            action=action,
            reason=reason,
            columns=[column.name for column in columns],
        )

    def _stored(self, step: MergeStep) -> MergeStep:
        step.save(using=self.database.using, force_insert=True)
        self._steps.append(step)
        return step

    def expect(self, pairs: Sequence[tuple[Referrer, Reference]]) -> None:
        """These references are repointed next, in this order, with nothing in between.

        Their steps are stored by one statement.
        """
        if len(pairs) < 2:
            return
        steps = [self._repointed(*pair) for pair in pairs]
        MergeStep.objects.using(self.database.using).bulk_create(steps)
        if any(step.pk is None for step in steps):
            self._number(steps)
        self._ahead.update({_place(step): step for step in steps})
        self._steps.extend(steps)

    def _number(self, steps: Sequence[MergeStep]) -> None:
        """Read the keys of steps just stored, where the database does not return them."""
        stored = MergeStep.objects.using(self.database.using).filter(run=self.run, batch=self.batch)
        keys = stored.order_by("-pk").values_list("pk", flat=True)[: len(steps)]
        for step, key in zip(reversed(steps), keys, strict=True):
            step.pk = key

    def _repointed(self, referrer: Referrer, reference: Reference) -> MergeStep:
        return self._step(
            referrer.table,
            action=MergeStep.Action.UPDATE,
            reason=MergeStep.Reason.REPOINTED,
            columns=[referrer.table.column(column) for column in reference.columns],
            reference=reference.label,
        )

    def complete(self) -> None:
        """Say of every step which row changes are its own; one without any never was."""
        for start in range(0, len(self._steps), _CHUNK):
            steps = self._steps[start : start + _CHUNK]
            self._number_changes([step for step in steps if step.rows])
            empty = [str(step.pk) for step in steps if not step.rows]
            if empty:
                # Django would read the journal for its row changes, and there are none
                self.database.run(f"DELETE FROM {self._table} WHERE id IN ({', '.join(empty)})")

    def _number_changes(self, steps: Sequence[MergeStep]) -> None:
        # written by hand, as Django takes longer to compose this than a database to do it
        cases = {
            name: " ".join(f"WHEN {step.pk} THEN {getattr(step, name)}" for step in steps)
            for name in ("rows", "first_change", "last_change")
        }
        sets = ", ".join(
            f"{self.database.q(name)} = CASE id {sql} END" for name, sql in cases.items()
        )
        keys = ", ".join(str(step.pk) for step in steps)
        if steps:
            self.database.run(f"UPDATE {self._table} SET {sets} WHERE id IN ({keys})")

    @property
    def _table(self) -> str:
        return self.database.q(MergeStep._meta.db_table)

    def _image(self, columns: Sequence[Column], values: Sequence[str] | None) -> str:
        if values is None:
            return "NULL"
        return self.database.image(list(zip(columns, values, strict=True)))


def _place(step: MergeStep) -> tuple[Any, ...]:
    """What tells a step from the others: both ends of a link are one reference."""
    return step.model, step.reference, step.action, step.reason, tuple(step.columns)
