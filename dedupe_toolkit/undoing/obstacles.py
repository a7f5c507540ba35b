"""What is in the way of an undo: found step by step, told all at once, nothing written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ..errors import UndoRefused
from ..journal.reading import changes_of
from ..models import MergeRun, MergeStep, RowChange
from ..references.unique import UniqueRule, unique_rules
from ..sentences import Sentence

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
        self.lines: list[Sentence] = []
        self.found = 0
        self.rows: dict[str, set[str]] = defaultdict(set)

    def find_present(self, table: Table, step: MergeStep, restored: Restored) -> bool:
        """Rows that should come back, but whose primary key is in use again."""
        same = self._join(table, restored)
        return self._add(
            step,
            "there again",
            f"FROM {self.database.q(restored.name)} u {self.database.join}"
            f" {self.database.q(table.name)} t ON {same}",
            restored,
        )

    def find_taken(self, table: Table, step: MergeStep, restored: Restored) -> bool:
        """Rows that the database refused, because another row has taken their unique values."""
        return any(
            self._add(
                step,
                "taken",
                f"FROM {self.database.q(restored.name)} u {self.database.join}"
                f" {self.database.q(table.name)} t ON {self._equal(step, rule)}",
                restored,
                rule=rule.text,
                fields=list(rule.columns),
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
        self._add(step, "deleted since", f"{source} {is_gone}", restored)
        self._add(
            step, "changed since", f"{source} {is_other}", restored, fields=list(step.columns)
        )
        return True

    def add_error(self, step: MergeStep | None, error: DatabaseError) -> None:
        about, words = step.model if step else self.run.model, " ".join(str(error).split())
        self.add(Sentence("refused", about=f"{about}: ", words=words))

    def expect(self, step: MergeStep, rows: int, done: int) -> None:
        """An obstacle unless as many rows came back, or were set back, as the step had changed."""
        if rows != done:
            self.add(Sentence("trigger", model=step.model, rows=rows, done=done))

    def add(self, line: Sentence) -> None:
        self.found += 1
        self.lines.append(line)

    def refuse(self) -> None:
        """Raises `UndoRefused` if anything was found."""
        if not self.found:
            return
        shown = self.lines[:SHOWN]
        if self.found > len(shown):
            shown.append(Sentence("more", count=self.found - len(shown)))
        advice = self._advice()
        raise UndoRefused(
            f"merge run {self.run.pk} cannot be undone, nothing was changed:\n  "
            + "\n  ".join(shown)
            + f"\n{advice}",
            (*shown, advice),
        )

    def _add(
        self, step: MergeStep, code: str, source: str, restored: Restored, **told: Any
    ) -> bool:
        keys = self.database.qualified("u", restored.keys)
        key = self.database.key_text(restored.table.pk, keys)
        count = int(self.database.value(f"SELECT COUNT(*) {source}"))
        if count:
            first = f"SELECT {key} {source} ORDER BY {', '.join(keys)} LIMIT {SHOWN}"
            rows = [row for (row,) in self.database.fetch(first)]
            self.lines += [Sentence(code, model=step.model, row=row, **told) for row in rows]
            self.rows[step.model] |= set(rows)
        self.found += count
        return bool(count)

    def _join(self, table: Table, restored: Restored) -> str:
        return self.database.join_on("t", table.key, "u", restored.keys)

    def _equal(self, step: MergeStep, rule: UniqueRule) -> str:
        return self.database.equal(
            self.database.qualified("t", rule.columns),
            [f"u.value_{step.columns.index(column)}" for column in rule.columns],
        )

    def _advice(self) -> Sentence:
        later, using = set(), self.database.using
        for model, rows in self.rows.items():
            steps = MergeStep.objects.using(using).filter(model=model, run__gt=self.run.pk)
            steps = steps.exclude(run__status=MergeRun.Status.UNDONE)
            changes = changes_of(steps, RowChange.objects.using(using)).filter(row__in=rows)
            later |= set(changes.order_by().values_list("step__run", flat=True).distinct())
        if later:
            runs = ", ".join(str(number) for number in sorted(later, reverse=True))
            return Sentence("later runs", runs=runs)
        return Sentence("put back")
