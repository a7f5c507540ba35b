"""The journal: every row a merge changes is written down before it is changed, by the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField

from ..models import MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Column, Table


@dataclass(kw_only=True)
class Journal:
    """Writes the row changes of one batch of a run.

    ``last`` is the key of the latest row change, once it has been asked for: later ones are above.
    """

    database: Database
    run: MergeRun
    batch: int
    last: int | None = field(default=None, init=False)

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
        before: Sequence[str] | None,
        after: Sequence[str] | None,
        reference: str = "",
        params: Sequence[Any] = (),
    ) -> int:
        """Write down the changes of one statement to come; returns how many rows it must change.

        ``source`` is SQL from FROM on; ``key``, ``before`` and ``after`` are SQL for the row's
        primary key and for the values of ``columns``; None for a row that is not there.
        """
        if self.last is None:
            self.last = self.database.value(f"SELECT MAX(id) FROM {self._table}") or 0
        steps = MergeStep.objects.using(self.database.using)
        step = steps.create(
            low=self.last,
            run=self.run,
            batch=self.batch,
            model=table.model._meta.label,
            reference=reference,
            action=action,
            reason=reason,
            columns=[column.name for column in columns],
        )
        key_text = self.database.key_text(list(zip(table.pk, key, strict=True)))
        images = [self._image(columns, values) for values in (before, after)]
        merged = key_text if reason in MergeStep.MERGED else "NULL"
        names = ["step_id", "row", "survivor", "merged", "before", "after"]
        rows = self.database.run(
            f"INSERT INTO {self._table} ({', '.join(map(self.database.q, names))})"
            f" SELECT {step.pk}, {key_text}, {root}, {merged}, {', '.join(images)} {source}",
            params,
        )
        if rows:
            steps.filter(pk=step.pk).update(rows=rows, **self._bounds(step, rows))
        else:
            self._forget(step)
        return rows

    def _bounds(self, step: MergeStep, rows: int) -> dict[str, int]:
        """Between which keys the step's row changes lie; those of the next step lie above them."""
        # without an upper end PostgreSQL expects a third of a journal it has not analysed yet
        newest = f"SELECT id FROM {self._table} ORDER BY id DESC LIMIT 1"
        ((written, high),) = self.database.fetch(
            f"SELECT COUNT(*), MAX(id) FROM {self._table}"
            f" WHERE id > %s AND id <= ({newest}) AND step_id = %s",
            [step.low, step.pk],
        )
        if written != rows:
            # sequences that give each session keys in advance (CACHE) do not give them in order
            return {"low": 0, "high": BigIntegerField.MAX_BIGINT}
        self.last = high
        return {"low": step.low, "high": high}

    @property
    def _table(self) -> str:
        return self.database.q(RowChange._meta.db_table)

    def _forget(self, step: MergeStep) -> None:
        # Django would read the journal for its row changes, and there are none
        table = self.database.q(MergeStep._meta.db_table)
        self.database.run(f"DELETE FROM {table} WHERE id = %s", [step.pk])

    def _image(self, columns: Sequence[Column], values: Sequence[str] | None) -> str:
        if values is None:
            return "NULL"
        return self.database.image(list(zip(columns, values, strict=True)))
