"""Merges the safe groups of a scan, batch by batch, in one run that can be left and gone on with.

Which groups are in it is decided when it begins: what was confirmed is what is merged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..journal.key_texts import key_texts
from ..journal.runs import open_run
from ..merging.merge import merge
from ..models import HeldGroup, MergeRun, QueuedGroup
from ..planning.plan import plan_merge
from ..values import OnCollision, OnConflict
from .examining import scan_policy
from .queued import first_rows, of_groups, texts_of_groups

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet

    from ..models import Scan
    from ..plan_values import MergePlan
    from ..sentences import Sentence
    from ..values import MatchKey, MergePolicy

State = QueuedGroup.State

Check = Callable[["MergePlan"], None]
"""Looks at the plan of a batch, and raises what keeps it from being carried out."""


def safe_groups(scan: Scan, among: Q) -> QuerySet[QueuedGroup]:
    """Those among the groups that can be merged without a look at them, and are in no merge."""
    groups = QueuedGroup.objects.using(scan.using).filter(among, scan=scan, run=None)
    return groups.filter(state=State.PENDING, is_safe=True)


def begin_safe_merge(
    scan: Scan, key: MatchKey, among: Q, *, by: Any, origin: MergeRun.Origin
) -> MergeRun:
    """A run of all that is safe among the groups of a scan, to be carried on with `merge_some`."""
    with transaction.atomic(using=scan.using):
        run = open_run(key, _strict(key), 0, scan.using, by, origin)
        run.groups = safe_groups(scan, among).update(run=run)
        run.status = MergeRun.Status.PAUSED
        run.save(update_fields=["groups", "status"])
    return run


def left_of(run: MergeRun) -> QuerySet[QueuedGroup]:
    """The groups of the run that are still to be merged."""
    groups = QueuedGroup.objects.using(run.using).filter(run=run, state=State.PENDING)
    # joined, MariaDB begins with the scan and sorts all that is left
    return groups.prefetch_related("scan").order_by("pk")


def merge_some(
    run: MergeRun,
    key: MatchKey,
    groups: list[QueuedGroup],
    *,
    by: str,
    check: Check,
    wait: float = 0,
) -> None:
    """Merge these of the groups that are left; those that turn out not to be safe are held back.

    ``key`` is that of the scan. Raises what `merge` and ``check`` raise, and has merged none then.
    """
    using = groups[0].scan.using
    firsts = first_rows(key.model, groups, using)
    there = texts_of_groups(key, firsts, using)
    plan = plan_merge(of_groups(key, firsts, using), using=using, policy=_strict(key))
    check(plan)
    last = HeldGroup.objects.using(using).order_by("-pk").values_list("pk", flat=True).first() or 0
    if plan.groups:
        merge(plan, run=run, wait=wait)
    held = _held(run, key, last, using)
    _settle(run, groups, there, held, by)


def cancel(run: MergeRun) -> None:
    """Let nobody begin another batch of the run; whoever has it in hand gives it up then."""
    MergeRun.objects.using(run.using).filter(pk=run.pk).update(is_cancelled=True)


def give_up(run: MergeRun) -> None:
    """Let the groups that are left wait in the queue again; what is merged stays merged.

    Call it while the run is yours, and no batch of it under way.
    """
    left_of(run).update(run=None)
    run.refresh_from_db()
    MergeRun.objects.using(run.using).filter(pk=run.pk).update(
        status=MergeRun.Status.INTERRUPTED if run.merged else MergeRun.Status.DONE,
        finished=timezone.now(),
        groups=F("merged") + F("groups_held_back"),
    )


def _strict(key: MatchKey) -> MergePolicy:
    """What differs or collides by now is no longer safe, whatever is declared for it."""
    return replace(
        scan_policy(key.model),
        on_collision=OnCollision.HOLD,
        collisions={},
        on_conflict=OnConflict.HOLD,
        batch_size=None,
        limit=None,
    )


def _held(run: MergeRun, key: MatchKey, after: int, using: str) -> dict[str, Sentence]:
    """The reasons of the groups held back since, by each of their rows."""
    found = HeldGroup.objects.using(using).filter(run=run, pk__gt=after)
    return {
        text: reason
        for rows, reason in found.values_list("rows", "reason")
        for text in key_texts(key.model, rows, using)
    }


def _settle(
    run: MergeRun,
    groups: list[QueuedGroup],
    there: dict[str, list[str]],
    held: dict[str, Sentence],
    by: str,
) -> None:
    """Say of each group what became of it."""
    # what has been decided or given to another run meanwhile is not ours to speak of
    queue = left_of(run)
    gone = [group.pk for group in groups if group.row not in there]
    merged = [group.pk for group in groups if group.row in there and group.row not in held]
    queue.filter(pk__in=gone).update(state=State.OUTDATED, is_safe=False, run=None)
    queue.filter(pk__in=merged).update(state=State.MERGED, decided=timezone.now(), by=by)
    for group in groups:
        if group.row in held:
            queue.filter(pk=group.pk).update(
                state=State.HELD, reason=held[group.row], is_safe=False, run=None
            )
    if left_of(run).exists():
        MergeRun.objects.using(run.using).filter(pk=run.pk).update(
            status=MergeRun.Status.PAUSED, finished=None
        )
