"""The keys, as text, of the rows that merge runs are about: merged into, or held back."""

from __future__ import annotations

from functools import reduce
from itertools import islice
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from ..journal.key_texts import key_texts
from ..journal.reading import merged_rows
from ..models import HeldGroup, MergeStep, RowChange
from ..verbose import find_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from ..models import MergeRun

_STEPS = 100
"""Steps of which the row changes are looked for by one statement, where each has a range."""


def survivors_of(run: MergeRun) -> Iterator[str]:
    """The keys, as text, of the rows into which a run merged."""
    rows = merged_rows(run, run.using).order_by("pk").values_list("survivor", flat=True)
    last = None
    for text in rows.iterator():
        if text != last:
            yield text
        last = text


def held_rows_of(run: MergeRun) -> Iterator[str]:
    """The keys, as text, of the rows that a run held back."""
    model, using = find_model(run.model), run.using
    for group in run.held_groups.using(using).values_list("rows", flat=True).iterator():
        yield from key_texts(model, group, using) if model else ()


def rows_of_runs(runs: QuerySet[MergeRun], model: Any) -> Iterator[tuple[int, str]]:
    """The keys, as text, of the rows that many small runs of one model merged into or held back.

    Each comes after the number of its run.
    """
    using = runs.db
    steps = MergeStep.objects.using(using).filter(reason=MergeStep.Reason.DUPLICATE)
    waiting = iter(list(steps.filter(run__in=runs).order_by("pk")))
    while some := {step.pk: step for step in islice(waiting, _STEPS)}:
        lie = [Q(pk__range=(step.first_change, step.last_change)) for step in some.values()]
        changes = RowChange.objects.using(using).filter(reduce(or_, lie), step__in=some)
        for step, survivor in changes.order_by().values_list("step", "survivor").distinct():
            yield some[step].run_id, survivor
    held = HeldGroup.objects.using(using).filter(run__in=runs).order_by()
    for run, rows in held.values_list("run", "rows"):
        yield from ((run, text) for text in key_texts(model, rows, using))
