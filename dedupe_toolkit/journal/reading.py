"""What a merge run did, read from its journal. Only reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db.models import Min, QuerySet, Sum

from ..models import MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ..models import MergeRun

_KIND = ("model", "reference", "action", "reason")


@dataclass(frozen=True, kw_only=True)
class StepKind:
    """The steps of a run that did the same to the same table, of all its batches together.

    ``first`` is the key of the earliest of them, and names the kind.
    """

    first: int
    model: str
    reference: str
    action: MergeStep.Action
    reason: MergeStep.Reason
    rows: int


@dataclass(frozen=True, kw_only=True)
class ChangedValue:
    """One column of a row change; None where there was no row, or NULL."""

    column: str
    before: str | None
    after: str | None


def step_kinds(run: MergeRun) -> tuple[StepKind, ...]:
    """What the run did, table by table, in the order in which it began to."""
    steps = MergeStep.objects.using(run.using).filter(run=run).order_by()
    kinds = steps.values(*_KIND).annotate(first=Min("pk"), total=Sum("rows")).order_by("first")
    return tuple(
        StepKind(
            first=kind["first"],
            model=kind["model"],
            reference=kind["reference"],
            action=MergeStep.Action(kind["action"]),
            reason=MergeStep.Reason(kind["reason"]),
            rows=kind["total"],
        )
        for kind in kinds
    )


def steps_like(step: MergeStep) -> QuerySet[MergeStep]:
    """All steps of the same kind in the same run: what one `StepKind` stands for."""
    same = {name: getattr(step, name) for name in _KIND}
    return MergeStep.objects.using(step._state.db).filter(run=step.run_id, **same)


def changes_of(steps: QuerySet[MergeStep], changes: QuerySet[RowChange]) -> QuerySet[RowChange]:
    """Those of the row changes that belong to these steps, read by primary key."""
    found = list(steps.order_by().values_list("pk", "first_change", "last_change"))
    if not found:
        return changes.none()
    keys, first, last = zip(*found, strict=True)
    return changes.filter(pk__range=(min(first), max(last)), step_id__in=keys)


def merged_rows(run: MergeRun, using: str, batch: int | None = None) -> QuerySet[RowChange]:
    """The row changes of the duplicates themselves, of one batch or of all."""
    steps = MergeStep.objects.using(using).filter(run=run, reason=MergeStep.Reason.DUPLICATE)
    if batch is not None:
        steps = steps.filter(batch=batch)
    return changes_of(steps, RowChange.objects.using(using))


def merged_pairs(run: MergeRun, using: str, batch: int | None = None) -> Iterator[tuple[str, str]]:
    """The pairs (duplicate, survivor) that a run merged, keys as text."""
    merged = merged_rows(run, using, batch).order_by("pk")
    yield from merged.values_list("row", "survivor").iterator()


def merged_groups(
    run: MergeRun, using: str, survivors: Collection[str] | None = None
) -> Iterator[list[str]]:
    """The groups of a run that are not undone, each its survivor and then its duplicates, as text.

    Of those merged into ``survivors`` only, where these are given.
    """
    merged = merged_rows(run, using).order_by("survivor", "pk")
    if survivors is not None:
        merged = merged.filter(survivor__in=survivors)
    pairs = merged.values_list("survivor", "row").iterator()
    for survivor, rows in groupby(pairs, itemgetter(0)):
        if survivor not in run.undone:
            yield [survivor, *(row for _, row in rows)]


def changed_values(change: RowChange) -> tuple[ChangedValue, ...]:
    """The columns that a row change holds, with their values as text.

    Of an updated row those that were set; of a row inserted or deleted, all of it.
    """
    columns = change.step.columns
    before, after = (_texts(image) for image in (change.before, change.after))
    return tuple(
        ChangedValue(column=column, before=old, after=new)
        for column, old, new in zip(columns, before, after, strict=False)
    )


def _texts(image: str | None) -> Any:
    if image is None:
        return repeat(None)
    return [_text(value) for value in json.loads(image)]


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        # a value that JSON cannot hold exactly is wrapped with the name of its kind
        ((kind, value),) = value.items()
        value = _UNWRAPPED.get(kind, str)(value)
    return None if value is None else str(value)


_UNWRAPPED: dict[str, Callable[[str], Any]] = {
    "real": float.fromhex,
    "text": lambda digits: bytes.fromhex(digits).decode(errors="replace"),
}
"""What people read of wrapped values; of bytes they read the digits."""
