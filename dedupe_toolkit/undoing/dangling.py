"""Foreign keys that an undo leaves pointing at nothing, where the database does not say so in time.

Rows may have been deleted since that rows which come back point at, and rows added that point at
a key which moves back. Only reads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..models import MergeStep, RowChange
from ..sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import Column, DatabaseKey, Table

SHOWN = 20


def dangling(
    database: Database, steps: Sequence[tuple[type[Model], MergeStep]]
) -> Iterator[Sentence]:
    """A sentence for each row that points at nothing, once these steps are taken back.

    Two statements for the catalogue, one for all foreign keys of columns that were written, and
    one for each of those with rows to name.
    """
    if database.checks_foreign_keys:
        return
    written: dict[tuple[type[Model], tuple[str, ...]], list[int]] = defaultdict(list)
    for model, step in steps:
        written[model, tuple(step.columns)].append(step.pk)
    names = list({model._meta.db_table for model, _ in written})
    pointing, pointed = database.foreign_keys_of(names), database.foreign_keys_to(names)
    checks = []
    for (model, columns), numbers in written.items():
        table = database.table(model)
        for key in pointing[table.name]:
            if _places(database, key.columns, columns):
                checks.append(_lost(database, table, key, numbers, columns))
        for key in pointed[table.name]:
            places = _places(database, key.targets, columns)
            if len(places) == len(key.targets):
                checks.append(_left(database, table, key, numbers, places))
    counts = database.answers([f"SELECT COUNT(*) {check.rows}" for check in checks])
    for check, count in zip(checks, counts, strict=True):
        if count:
            yield from check.told(count)


@dataclass(frozen=True, kw_only=True)
class _Check:
    """SQL from FROM on for rows that point at nothing, and what is told of so many."""

    rows: str
    told: Callable[[int], Iterator[Sentence]]


def _places(database: Database, names: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Where among a step's columns these stand."""
    known = {database.as_compared(column): place for place, column in enumerate(columns)}
    compared = map(database.as_compared, names)
    return [known[name] for name in compared if name in known]


def _lost(
    database: Database,
    table: Table,
    key: DatabaseKey,
    steps: Sequence[int],
    columns: Sequence[str],
) -> _Check:
    """Rows that have come back, or got values back, and point at a row that is gone."""
    journaled = [
        database.from_image(f"c.{database.q('before')}", columns.index(column.name), column)
        if column.name in columns
        else database.from_key_text(f"c.{database.q('row')}", place, table.pk)
        for place, column in enumerate(table.pk)
    ]
    keys = _compared_as(database, table.pk, journaled)
    own = database.qualified("t", table.key)
    values = database.qualified("t", key.columns)
    same = database.equal(database.qualified("p", key.targets), values)
    filled = " AND ".join(f"{value} IS NOT NULL" for value in values)
    text = database.key_text(table.pk, own)
    rows = (
        f"FROM {_journal(database, steps)} c"
        f" {database.join} {database.q(table.name)} t ON {database.equal(own, keys)}"
        f" WHERE {filled} AND NOT EXISTS (SELECT 1 FROM {database.q(key.table)} p WHERE {same})"
    )

    label, named = table.model._meta.label, {"table": key.table, "columns": key.columns}

    def told(count: int) -> Iterator[Sentence]:
        for (row,) in database.fetch(f"SELECT DISTINCT {text} {rows} LIMIT {SHOWN}"):
            yield Sentence("target gone", model=label, row=row, **named)

    return _Check(rows=rows, told=told)


def _left(
    database: Database, table: Table, key: DatabaseKey, steps: Sequence[int], places: Sequence[int]
) -> _Check:
    """Rows that point at what a row had for a key until it got its own back."""
    after = f"c.{database.q('after')}"
    names = {database.as_compared(column.name): column for column in table.columns}
    targets = [names[database.as_compared(name)] for name in key.targets]
    journaled = [
        database.from_image(after, place, column)
        for place, column in zip(places, targets, strict=True)
    ]
    moved = _compared_as(database, targets, journaled)
    values = database.qualified("h", key.columns)
    same = database.equal(database.qualified("p", key.targets), values)
    rows = (
        f"FROM {_journal(database, steps)} c"
        f" {database.join} {database.q(key.table)} h ON {database.equal(values, moved)}"
        f" WHERE {after} IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {database.q(table.name)} p WHERE {same})"
    )

    label, named = table.model._meta.label, {"table": key.table, "columns": key.columns}

    def told(count: int) -> Iterator[Sentence]:
        yield Sentence("left behind", model=label, count=count, **named)

    return _Check(rows=rows, told=told)


def _compared_as(database: Database, columns: Sequence[Column], values: Sequence[str]) -> list[str]:
    """Values of the journal, which compare as those of their columns do and not as its own."""
    return [
        database.as_text(value, column.definition)
        for column, value in zip(columns, values, strict=True)
    ]


def _journal(database: Database, steps: Sequence[int]) -> str:
    numbers = ", ".join(map(str, steps))
    return (
        f"(SELECT * FROM {database.q(RowChange._meta.db_table)}"
        f" WHERE {database.q('step_id')} IN ({numbers}))"
    )
