"""Carry out a merge plan: batch after batch, each one whole or not there at all (`batch`)."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..arguments import checking_arguments, require_kind, shown
from ..databases.caching import caching
from ..databases.retry import only_run, require_autocommit
from ..errors import InvalidOption, MergeRefused
from ..finding.whole_texts import whole_texts
from ..journal.runs import carry_on, store_run
from ..models import MergeRun
from ..plan_values import MergePlan
from ..planning.prepared import take
from .pace import Pace
from .run import Run
from .throttle import throttles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .run import Progress


@checking_arguments
@caching()
def merge(
    plan: MergePlan,
    *,
    progress: Progress | None = None,
    by: Any = "",
    origin: str = MergeRun.Origin.CODE,
    run: MergeRun | None = None,
    wait: float = 0,
    max_lag: float | None = None,
    replicas: Sequence[str] = (),
    stop: Callable[[], bool] | None = None,
) -> MergeRun:
    """Merge the groups of a plan, and return the run that journals every row it changed.

    The run keeps ``by`` (a user, or a name) and ``origin``, a `MergeRun.Origin`. ``run`` is one
    that was begun earlier, to be carried on with the groups of this plan. ``wait`` is for how many
    seconds another merge of the model is waited for. With ``max_lag`` it waits between two batches
    while one of the ``replicas``, or of those that DATABASES declares, is further behind than so
    many seconds; and for as long as ``DEDUPE_THROTTLE`` says. The run tells what it waits for.
    ``stop`` is asked after each batch, and while it waits for the next, whether to end there: the
    run is ``interrupted`` then, and a new plan merges the rest. So it is while another merge is
    waited for, which ends like ``wait``.

    Each batch is one transaction with its part of the journal. Groups that turn out not to be
    mergeable are held back with their reason, and the others are merged. What is read again
    under lock and has changed since the plan is held back as well.

    Raises `PlanExpired` when the plan is not the latest of its connection, or when that is closed
    or given another session by a pooler: in the middle of a run, whole batches stay. Raises
    `MergeRefused` when another merge of the same model is running, autocommit is off, or the
    database user may not write all that the plan has to, and
    `InvalidOption` for what is no plan, and for an alias that is no replica. What a receiver of
    ``pre_merge`` raises ends the run, and so does an error of the database that no row is to blame
    for.
    """
    require_kind("merge()", plan, MergePlan, "a merge plan: merge(plan_merge(…))")
    require_kind("merge(run=…)", run, (MergeRun, NoneType), "a merge run or None")
    if origin not in MergeRun.Origin.values:
        raise InvalidOption(
            f"merge(): the origin is {', '.join(MergeRun.Origin.values)}, not {shown(origin)}"
        )
    ready = take(plan)
    database = ready.session.database
    require_autocommit(database, plan.source.label)
    for lacking in ready.lacking:
        raise MergeRefused(lacking)
    asked = throttles(plan.using, max_lag, replicas)
    stop = stop or (lambda: False)
    with only_run(database, plan.source.model._meta.label, wait, stop):
        with transaction.atomic(using=plan.using):
            ready.require()
            begun = carry_on(run, plan) if run else store_run(plan, by, MergeRun.Origin(origin))
        with whole_texts(plan.source, plan.using):
            return Run(
                plan=plan,
                ready=ready,
                run=begun,
                progress=progress,
                pace=Pace(begun),
                throttles=asked,
                stop=stop,
            ).to_the_end()
