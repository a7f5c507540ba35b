"""What is in the way of an undo: found step by step, told all at once, nothing written."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import UndoRefused
from ..journal.reading import changes_of
from ..models import MergeRun, MergeStep, RowChange
from ..references.unique import UniqueRule, unique_rules
from ..sentences import Sentence
from .restore import keys_of_changes

if TYPE_CHECKING:
    from django.db import DatabaseError

    from ..databases import Database
    from ..databases.tables import Column, Table
    from .restore import Restored

SHOWN = 20
_KNOWN = 10_000
"""So many rows are remembered by their keys; of those beyond, each column counts as a row."""


class Obstacles:
    """All that was found: a row stands once among what is told, with all columns in question."""

    def __init__(self, database: Database, run: MergeRun) -> None:
        self.database = database
        self.run = run
        self._told: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._more = 0
        self.rows: dict[str, set[str]] = defaultdict(set)

    def find_present(self, step: MergeStep, restored: Restored) -> bool:
        """Rows that should come back, but whose primary key is in use again."""
        source = self._beside(restored, self._join(restored))
        return self._add(step, "there again", source, restored)

    def find_taken(self, step: MergeStep, restored: Restored) -> bool:
        """Rows that the database refused, because another row has taken their unique values."""
        return any(
            self._add(
                step,
                "taken",
                self._beside(restored, self._equal(step, rule)),
                restored,
                rule=rule.text,
                fields=list(rule.columns),
            )
            for rule in unique_rules(restored.table.model, self.database)
            if not rule.is_primary_key
            and rule.condition is None
            and not rule.expressions
            and set(rule.columns) <= set(step.columns)
        )

    def find_altered(self, step: MergeStep, restored: Restored) -> bool:
        """Values that the columns cannot hold as they were: these have other types since."""
        database, table = self.database, restored.table
        places = [(step.columns.index(column.name), column) for column in _typed(table, step)]
        lost = {
            column.name: f"NOT ({database.is_kept('c.before', place, column, f'u.value_{place}')})"
            for place, column in places
        }
        keys = keys_of_changes(database, table)
        same = database.equal(database.qualified("u", restored.keys), keys)
        source = (
            f"FROM {database.q(RowChange._meta.db_table)} c"
            f" {database.join} {database.q(restored.name)} u ON {same} WHERE c.step_id = {step.pk}"
            f" AND c.id BETWEEN {step.first_change} AND {step.last_change} AND"
        )
        if not lost or not database.value(
            f"SELECT EXISTS (SELECT 1 {source} ({' OR '.join(lost.values())}))"
        ):
            return False
        for name, is_lost in lost.items():
            self._add(step, "altered", f"{source} {is_lost}", restored, fields=[name])
        return True

    def find_changed(self, step: MergeStep, restored: Restored) -> bool:
        """Rows that are gone, or whose columns no longer hold what the step gave them."""
        table = restored.table
        source = (
            f"FROM {self.database.q(restored.name)} u LEFT JOIN {self.database.q(table.name)} t"
            f" ON {self._join(restored)} WHERE"
        )
        is_gone = f"t.{self.database.q(table.pk[0].name)} IS NULL"
        columns = [table.column(name) for name in step.columns]
        now = [(column, f"t.{self.database.q(column.name)}") for column in columns]
        is_other = f"NOT {is_gone} AND NOT ({self.database.is_image('u.after_image', now)})"
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
        self._told[line.code, str(line)] = dict(line.params)

    def refuse(self) -> None:
        """Raises `UndoRefused` if anything was found."""
        if not self._told:
            return
        told = islice(self._told.items(), SHOWN)
        shown = [Sentence(code, **params) for (code, *_), params in told]
        if more := len(self._told) + self._more - len(shown):
            shown.append(Sentence("more", count=more))
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
            most = max(SHOWN, _KNOWN - len(self._told))
            first = f"SELECT {key} {source} ORDER BY {', '.join(keys)} LIMIT {most}"
            rows = [row for (row,) in self.database.fetch(first)]
            for row in rows:
                self._tell(code, {"model": step.model, "row": row, **told})
            self.rows[step.model] |= set(rows[:SHOWN])
            self._more += count - len(rows)
        return bool(count)

    def _tell(self, code: str, params: dict[str, Any]) -> None:
        place = (code, params["model"], params["row"], params.get("rule"))
        known = self._told.setdefault(place, params)
        if "fields" in params:
            known["fields"] = list(dict.fromkeys([*known["fields"], *params["fields"]]))

    def _beside(self, restored: Restored, same: str) -> str:
        q, join = self.database.q, self.database.join
        return f"FROM {q(restored.name)} u {join} {q(restored.table.name)} t ON {same}"

    def _join(self, restored: Restored) -> str:
        return self.database.join_on("t", restored.table.key, "u", restored.keys)

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


def _typed(table: Table, step: MergeStep) -> list[Column]:
    """The columns of a step whose types may round or cut: a whole number fits, or is an error."""
    return [column for column in map(table.column, step.columns) if not column.is_integer]
