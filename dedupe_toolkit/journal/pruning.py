"""The journal of old runs is let go, in slices; old keys may go on resolving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from ..arguments import checking_arguments
from ..databases import database
from ..databases.tables import require_table
from ..keys import check_alias
from ..models import MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

SLICE = 10_000
"""Row changes in one transaction."""

Status = MergeRun.Status


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many runs were pruned, row changes deleted and pairs kept.

    ``busy`` are runs left alone, for their model is being merged or undone just now.
    """

    runs: int
    row_changes: int
    pairs: int
    busy: int


@checking_arguments
def prune_merge_runs(
    before: datetime,
    *,
    using: str = "default",
    keep_pairs: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Pruned:
    """Delete the journal of the merge runs that ended before that moment. They cannot be undone.

    Old keys of their rows no longer resolve, unless with ``keep_pairs``: then the runs stay, with
    the pairs of duplicate and survivor, and only what the rows held is deleted. Groups that these
    runs held back are forgotten in either case; the next merge finds them again.

    Works in slices, each a transaction of its own. Stopped in between, the same call goes on;
    a run is marked as pruned before its first row change is deleted. ``progress`` is called with
    how many row changes were looked at, and of how many.

    Raises `InvalidMatchKey` for a database that there is not, or that has no journal.
    """
    runs = prunable_runs(before, using=using, keep_pairs=keep_pairs)
    total = MergeStep.objects.using(using).filter(run__in=runs).aggregate(rows=Sum("rows"))["rows"]
    tally = {"runs": 0, "row_changes": 0, "pairs": 0, "busy": 0}
    looked_at = 0
    for run in list(runs):
        with database(using).run_lock(run.model) as is_ours:
            if not is_ours:
                tally["busy"] += 1
                continue
            for is_kept, rows in _prune(run, using, keep_pairs):
                tally["pairs" if is_kept else "row_changes"] += rows
                looked_at += rows
                if progress:
                    progress(looked_at, total or 0)
        tally["runs"] += 1
    return Pruned(**tally)


def prunable_runs(
    before: datetime, *, using: str = "default", keep_pairs: bool = False
) -> QuerySet[MergeRun]:
    """The runs that ended before that moment and have more than is to be kept of them.

    Raises `InvalidMatchKey` for a database that there is not, or that has no journal.
    """
    check_alias(using)
    require_table(MergeRun, using)
    runs = MergeRun.objects.using(using).order_by("pk")
    # a run that was cut off has no end
    runs = runs.annotate(ended=Coalesce("finished", "started")).filter(ended__lt=before)
    if keep_pairs:
        left = MergeStep.objects.using(using).filter(run=OuterRef("pk")).exclude(columns=[])
        runs = runs.filter(~Q(status=Status.PRUNED) | Exists(left))
    return runs


def _prune(run: MergeRun, using: str, keep_pairs: bool) -> Iterator[tuple[bool, int]]:
    """Yields, slice by slice, whether its row changes stay as pairs, and how many they are."""
    # the pairs of a run that was undone say nothing any more
    keep_pairs = keep_pairs and run.status != Status.UNDONE
    run.status = Status.PRUNED
    run.save(using=using, update_fields=["status"])
    run.held_groups.using(using).all().delete()
    for step in MergeStep.objects.using(using).filter(run=run).order_by("-pk"):
        pairs = 0
        for changes in _slices(step, using):
            if keep_pairs:
                kept = changes.exclude(merged=None).update(before=None, after=None)
                pairs += kept
                yield True, kept
                changes = changes.filter(merged=None)
            yield False, changes.delete()[0]
        if pairs:
            MergeStep.objects.using(using).filter(pk=step.pk).update(columns=[])
        else:
            _delete_step(step, using)
    if not keep_pairs:
        run.delete(using=using)


def _slices(step: MergeStep, using: str) -> Iterator[QuerySet[RowChange]]:
    changes = RowChange.objects.using(using).filter(step=step).order_by()
    for first in range(step.first_change, step.last_change + 1, SLICE):
        yield changes.filter(pk__range=(first, min(first + SLICE - 1, step.last_change)))


def _delete_step(step: MergeStep, using: str) -> None:
    dialect = database(using)
    # Django would look for its row changes, all through the journal, and there are none left
    dialect.run(f"DELETE FROM {dialect.q(step._meta.db_table)} WHERE id = %s", [step.pk])
