"""What was decided of rows before: verdicts on them, and merges that were undone. Only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from ..finding.dismissed_groups import family
from ..models import DismissedRow, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import Model

MOST = 20
"""How many decisions are told of."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A person's verdict on rows, or a merge of them that was undone; ``rows`` are their keys."""

    is_verdict: bool
    number: int
    rows: tuple[str, ...]
    by: str
    when: datetime | None
    note: str


def decided_before(model: type[Model], rows: Collection[str], using: str) -> tuple[Decision, ...]:
    """The decisions on rows with these keys, as the journal names keys. One look-up by indexes.

    A row that is there again although it was merged was brought back by an undo.
    """
    labels = family(model)
    verdicts = (
        DismissedRow.objects.using(using)
        .filter(row__in=rows, group__model__in=labels)
        .order_by()
        .annotate(kind=Value(1), note=F("group__note"))
        .values_list("kind", "group_id", "row", "group__by", "group__dismissed", "note")
    )
    merges = (
        RowChange.objects.using(using)
        .filter(
            merged__in=rows,
            step__model__in=labels,
            step__reason=MergeStep.Reason.DUPLICATE,
        )
        .order_by()
        .annotate(kind=Value(0), note=Cast(Value(""), TextField()))
        .values_list("kind", "step__run", "merged", "step__run__by", "step__run__finished", "note")
    )
    found: dict[tuple[int, int], Decision] = {}
    # without an order of its own a union takes that of its first model from Django 6.1 on
    for kind, number, row, by, when, note in verdicts.union(merges).order_by():
        known = found.get((kind, number))
        found[kind, number] = (
            replace(known, rows=(*known.rows, row))
            if known
            else Decision(
                is_verdict=bool(kind), number=number, rows=(row,), by=by, when=when, note=note
            )
        )
    return tuple(sorted(found.values(), key=_order)[:MOST])


def _order(decision: Decision) -> Any:
    """The latest first; those of which nobody knows when, last."""
    return (decision.when is None, -(decision.when.timestamp() if decision.when else 0))
