"""The journal: every row a merge changes is written down before it is changed, by the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..models import MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.base import Numbered
    from ..databases.tables import Column, Table


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Writes the row changes of one batch of a run."""

    database: Database
    run: MergeRun
    batch: int

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
        step = MergeStep.objects.using(self.database.using).create(
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
        journal = RowChange._meta.db_table
        written = self.database.insert_numbered(
            f"INSERT INTO {self.database.q(journal)} ({', '.join(map(self.database.q, names))})"
            f" SELECT {step.pk}, {key_text}, {root}, {merged}, {', '.join(images)} {source}",
            journal,
            params,
        )
        self._complete(step, written)
        return written.rows

    def _complete(self, step: MergeStep, written: Numbered) -> None:
        """The step with its rows; without any it never was."""
        table = self.database.q(MergeStep._meta.db_table)
        if not written.rows:
            # Django would read the journal for its row changes, and there are none
            self.database.run(f"DELETE FROM {table} WHERE id = %s", [step.pk])
            return
        names = ("rows", "first_change", "last_change")
        assigned = ", ".join(f"{self.database.q(name)} = %s" for name in names)
        self.database.run(
            f"UPDATE {table} SET {assigned} WHERE id = %s",
            [written.rows, written.first, written.last, step.pk],
        )

    def _image(self, columns: Sequence[Column], values: Sequence[str] | None) -> str:
        if values is None:
            return "NULL"
        return self.database.image(list(zip(columns, values, strict=True)))
