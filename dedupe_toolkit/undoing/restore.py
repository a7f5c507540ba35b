"""The rows and values that undoing one step brings back, typed again, in a work table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..databases.named_rows import NamedRows
from ..databases.names import numbered
from ..databases.tables import definitions
from ..models import MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..databases.tables import Table


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A work table: each row's primary key now, its values before, and the image after."""

    name: str
    table: Table
    rows: int
    width: int

    @property
    def keys(self) -> list[str]:
        return numbered("key", len(self.table.pk))

    @property
    def values(self) -> list[str]:
        return numbered("value", self.width)

    @property
    def named(self) -> NamedRows:
        names = self.table.key
        return NamedRows(self.name, dict(zip(names, self.keys, strict=True)))


def fill_restored(
    database: Database,
    table: Table,
    step: MergeStep,
    survivors: Sequence[str] | None,
    undone: Sequence[str],
) -> Restored:
    """What taking back ``step`` restores, without the groups that have been undone already."""
    restored = Restored(name="dedupe_undo", table=table, rows=0, width=len(step.columns))
    columns = [table.column(name) for name in step.columns]
    types = definitions(restored.keys, table.pk)
    types |= definitions(restored.values, columns)
    types |= {"after_image": database.image_type}
    database.create_work_table(restored.name, types, primary_key=restored.keys)
    keys = keys_of_changes(database, table)
    values = [
        database.from_image(f"c.{database.q('before')}", number, column)
        for number, column in enumerate(columns)
    ]
    where, params = _chosen(database, step, survivors, undone)
    names = ", ".join([*restored.keys, *restored.values, "after_image"])
    rows = database.run(
        f"INSERT INTO {database.q(restored.name)} ({names})"
        f" SELECT {', '.join(keys + values)}, c.{database.q('after')}"
        f" FROM {database.q(RowChange._meta.db_table)} c WHERE {where}",
        params,
    )
    database.settle(restored.name)
    return Restored(name=restored.name, table=table, rows=rows, width=restored.width)


def keys_of_changes(database: Database, table: Table) -> list[str]:
    """SQL for the primary key of the row that a row change (``c``) is about."""
    named = f"c.{database.q('row')}"
    return [database.from_key_text(named, place, table.pk) for place in range(len(table.pk))]


def _chosen(
    database: Database, step: MergeStep, survivors: Sequence[str] | None, undone: Sequence[str]
) -> tuple[str, list[Any]]:
    where = f"c.{database.q('step_id')} = %s AND c.id BETWEEN %s AND %s"
    params: list[Any] = [step.pk, step.first_change, step.last_change]
    survivor = f"c.{database.q('survivor')}"
    for listed, word in ((survivors, "IN"), (undone or None, "NOT IN")):
        if listed is not None:
            where += f" AND {survivor} {word} ({', '.join(['%s'] * len(listed))})"
            params += listed
    return where, params
