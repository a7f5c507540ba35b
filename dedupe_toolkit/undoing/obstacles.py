"""What is in the way of an undo: found step by step, told all at once, nothing written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..errors import UndoRefused
from ..journal.reading import changes_of
from ..models import MergeRun, MergeStep, RowChange
from ..references.unique import UniqueRule, unique_rules

if TYPE_CHECKING:
    from django.db import DatabaseError

    from ..databases import Database
    from ..databases.tables import Table
    from .restore import Restored

SHOWN = 20


class Obstacles:
    def __init__(self, database: Database, run: MergeRun) -> None:
        self.database = database
        self.run = run
        self.lines: list[str] = []
        self.found = 0
        self.rows: dict[str, set[str]] = defaultdict(set)

    def find_present(self, table: Table, step: MergeStep, restored: Restored) -> bool:
        """Rows that should come back, but whose primary key is in use again."""
        same = self._join(table, restored)
        return self._add(
            step,
            "is there again",
            f"FROM {self.database.q(restored.name)} u {self.database.join}"
            f" {self.database.q(table.name)} t ON {same}",
            restored,
        )

    def find_taken(self, table: Table, step: MergeStep, restored: Restored) -> bool:
        """Rows that the database refused, because another row has taken their unique values."""
        return any(
            self._add(
                step,
                f"would break {rule.text}",
                f"FROM {self.database.q(restored.name)} u {self.database.join}"
                f" {self.database.q(table.name)} t ON {self._equal(step, rule)}",
                restored,
            )
            for rule in unique_rules(table.model, self.database)
            if not rule.is_primary_key
            and rule.condition is None
            and not rule.expressions
            and set(rule.columns) <= set(step.columns)
        )

    def find_changed(self, table: Table, step: MergeStep, restored: Restored) -> bool:
        """Rows that are gone, or whose columns no longer hold what the step gave them."""
        source = (
            f"FROM {self.database.q(restored.name)} u LEFT JOIN {self.database.q(table.name)} t"
            f" ON {self._join(table, restored)} WHERE"
        )
        is_gone = f"t.{self.database.q(table.pk[0].name)} IS NULL"
        columns = [table.column(name) for name in step.columns]
        now = self.database.image(
            [(column, f"t.{self.database.q(column.name)}") for column in columns]
        )
        is_other = f"NOT {is_gone} AND NOT ({self.database.same_text(now, 'u.after_image')})"
        if not self.database.value(f"SELECT COUNT(*) {source} {is_gone} OR {is_other}"):
            return False
        self._add(step, "has been deleted since", f"{source} {is_gone}", restored)
        what = f"has been changed since ({', '.join(step.columns)})"
        self._add(step, what, f"{source} {is_other}", restored)
        return True

    def add_error(self, step: MergeStep | None, error: DatabaseError) -> None:
        what = step.model if step else self.run.model
        self.found += 1
        self.lines.append(f"{what}: the database refuses it: {' '.join(str(error).split())}")

    def expect(self, step: MergeStep, rows: int, done: int) -> None:
        """An obstacle unless as many rows came back, or were set back, as the step had changed."""
        if rows != done:
            self.found += 1
            self.lines.append(f"{step.model}: of {rows} rows {done} come back: a trigger's doing")

    def add(self, line: str) -> None:
        self.found += 1
        self.lines.append(line)

    def refuse(self) -> None:
        """Raises `UndoRefused` if anything was found."""
        if not self.found:
            return
        shown = self.lines[:SHOWN]
        if self.found > len(shown):
            shown.append(f"and {self.found - len(shown)} more")
        raise UndoRefused(
            f"merge run {self.run.pk} cannot be undone, nothing was changed:\n  "
            + "\n  ".join(shown)
            + f"\n{self._advice()}"
        )

    def _add(self, step: MergeStep, what: str, source: str, restored: Restored) -> bool:
        keys = self.database.qualified("u", restored.keys)
        key = self.database.key_text(list(zip(restored.table.pk, keys, strict=True)))
        count = int(self.database.value(f"SELECT COUNT(*) {source}"))
        if count:
            first = f"SELECT {key} {source} ORDER BY {', '.join(keys)} LIMIT {SHOWN}"
            rows = [row for (row,) in self.database.fetch(first)]
            self.lines += [f"{step.model} {row} {what}" for row in rows]
            self.rows[step.model] |= set(rows)
        self.found += count
        return bool(count)

    def _join(self, table: Table, restored: Restored) -> str:
        return self.database.equal(
            self.database.qualified("t", [column.name for column in table.pk]),
            self.database.qualified("u", restored.keys),
        )

    def _equal(self, step: MergeStep, rule: UniqueRule) -> str:
        return self.database.equal(
            self.database.qualified("t", rule.columns),
            [f"u.value_{step.columns.index(column)}" for column in rule.columns],
        )

    def _advice(self) -> str:
        later, using = set(), self.database.using
        for model, rows in self.rows.items():
            steps = MergeStep.objects.using(using).filter(model=model, run__gt=self.run.pk)
            steps = steps.exclude(run__status=MergeRun.Status.UNDONE)
            changes = changes_of(steps, RowChange.objects.using(using)).filter(row__in=rows)
            later |= set(changes.order_by().values_list("step__run", flat=True).distinct())
        if later:
            runs = ", ".join(str(number) for number in sorted(later, reverse=True))
            return f"Later merge runs changed these rows: undo them first, in this order: {runs}"
        return (
            "Put these rows back as the merge left them (a constraint added since: migrate back"
            " before it), then undo again"
        )
