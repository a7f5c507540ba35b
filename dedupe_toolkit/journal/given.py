"""What earlier batches of a run have given survivors, as its journal tells. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models import MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..databases.tables import Table
    from ..models import MergeRun

_GIVING = (MergeStep.Reason.VALUE, MergeStep.Reason.OWN_TARGET)


def given_before(
    database: Database, run: MergeRun, batch: int, table: Table, columns: tuple[str, ...]
) -> Iterator[str]:
    """SQL that is true for rows (``t``) that were given values of these columns, for each step."""
    steps = MergeStep.objects.using(database.using).filter(
        run=run, batch__lt=batch, model=table.model._meta.label, reason__in=_GIVING
    )
    row = database.key_text(table.pk, database.qualified("t", table.key))
    for step in steps.order_by():
        if set(columns) <= set(step.columns):
            yield (
                f"EXISTS (SELECT 1 FROM {database.q(RowChange._meta.db_table)} c"
                f" WHERE c.id BETWEEN {step.first_change} AND {step.last_change}"
                f" AND c.step_id = {step.pk} AND c.{database.q('row')} = {row})"
            )
