"""The rows that runs and verdicts are about: nobody reads of rows that they may not see.

A run is about its survivors, a verdict about its rows. Either is there for users who may view
the model, and from whom the `get_queryset` of its `ModelAdmin` hides none of these rows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ..finding.named_keys import is_named_in
from ..journal.reading import merged_rows, step_kinds
from ..models import DismissedRow, MergeRun, MergeStep
from .permissions import (
    may_change_and_delete,
    may_delete_models,
    may_undo_model,
    may_view_model,
    model_admin_of,
)
from .run_rows import held_rows_of, rows_of_runs, survivors_of
from .seen import asks_of_rows, hiding_admin, keys_named, named_rows, seen_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from .permissions import AnyAdmin

LISTED_AT_MOST = 1000
"""Of how many rows a run is looked at before it is listed; a larger one is when it is opened."""


def may_read_run(site: AdminSite, request: HttpRequest, run: MergeRun) -> bool:
    """Whether this user may read what a run did: sees its model, and every survivor."""
    if not may_view_model(site, request, run.model):
        return False
    hiding = hiding_admin(site, request, run.model)
    return hiding is None or not _hides_any(hiding, request, run)


def may_undo(site: AdminSite, request: HttpRequest, run: MergeRun) -> bool:
    """Whether this user may undo a run: may undo, and change and delete every survivor.

    What would come back in other tables takes the right to delete there, as merging did.
    """
    if not may_undo_model(site, request, run.model) or not may_read_run(site, request, run):
        return False
    if not may_delete_models(site, request, _deleted(run)):
        return False
    model_admin = model_admin_of(site, run.model)
    if model_admin is None or not asks_of_rows(model_admin):
        return True
    return all(
        may_change_and_delete(model_admin, request, row)
        for _, row in named_rows(seen_rows(model_admin, request, run.using), survivors_of(run))
    )


def readable_runs(
    site: AdminSite, request: HttpRequest, runs: QuerySet[MergeRun]
) -> QuerySet[MergeRun]:
    """The runs that may be listed for this user: none about rows hidden from them.

    A statement more for each model; where rows are hidden, some for each hundred runs.
    """
    hidden: list[int] = []
    for label in _labels(runs):
        if not may_view_model(site, request, label):
            runs = runs.exclude(model=label)
        elif hiding_admin(site, request, label) is not None:
            some = runs.filter(model=label, rows_merged__lte=LISTED_AT_MOST)
            hidden += _hidden_runs(site, request, label, some)
    return runs.exclude(pk__in=hidden) if hidden else runs


def readable_steps(
    site: AdminSite, request: HttpRequest, steps: QuerySet[MergeStep], run: int | None
) -> QuerySet[MergeStep]:
    """The steps of which this user may read the row changes; the same steps if that is all.

    ``run`` is the number of the one run that they are asked for, however many rows it merged;
    without it those of very large runs are left out where rows are hidden.
    """
    for label in _labels(steps):
        if not may_view_model(site, request, label):
            steps = steps.exclude(model=label)
    runs = MergeRun.objects.using(steps.db)
    hidden: list[int] = []
    if run is not None:
        runs = runs.filter(pk=run)
    for label in _labels(runs):
        if not may_view_model(site, request, label):
            steps = steps.exclude(run__model=label)
        elif hiding_admin(site, request, label) is not None:
            asked = runs.filter(model=label)
            if run is None:
                large = asked.filter(rows_merged__gt=LISTED_AT_MOST)
                hidden += large.values_list("pk", flat=True)
                small = asked.filter(rows_merged__lte=LISTED_AT_MOST)
                hidden += _hidden_runs(site, request, label, small)
            else:
                hidden += [one.pk for one in asked if not may_read_run(site, request, one)]
    return steps.exclude(run__in=hidden) if hidden else steps


def readable_verdicts(
    site: AdminSite, request: HttpRequest, groups: QuerySet[Any]
) -> QuerySet[Any]:
    """The verdicts that may be listed for this user."""
    for label in _labels(groups):
        hiding = hiding_admin(site, request, label)
        if not may_view_model(site, request, label):
            groups = groups.exclude(model=label)
        elif hiding is not None:
            seen = is_named_in(seen_rows(hiding, request, groups.db), "row", "group__model", label)
            rows = DismissedRow.objects.using(groups.db).filter(group__model=label).exclude(seen)
            groups = groups.exclude(pk__in=rows.values("group"))
    return groups


def _deleted(run: MergeRun) -> set[str]:
    """The models of which a run deleted rows, beside the one that it merged."""
    deleted = {kind.model for kind in step_kinds(run) if kind.action == MergeStep.Action.DELETE}
    return deleted - {run.model}


def _labels(kept: QuerySet[Any]) -> list[str]:
    return list(kept.order_by().values_list("model", flat=True).distinct())


def _hidden_runs(
    site: AdminSite, request: HttpRequest, label: str, runs: QuerySet[MergeRun]
) -> set[int]:
    """Those of many small runs of one model that are about a row which this user does not see."""
    hiding, found = hiding_admin(site, request, label), set[int]()
    if hiding is not None:
        runs_of = defaultdict(set)
        for run, text in rows_of_runs(runs, hiding.model):
            runs_of[text].add(run)
        for text in _hidden(hiding, request, runs_of, runs.db):
            found |= runs_of[text]
    return found


def _hides_any(model_admin: AnyAdmin, request: HttpRequest, run: MergeRun) -> bool:
    """Whether one of the rows that a run merged into, or held back, is not for this user."""
    seen = is_named_in(seen_rows(model_admin, request, run.using), "survivor")
    if merged_rows(run, run.using).exclude(seen).exists():
        return True
    return any(True for _ in _hidden(model_admin, request, held_rows_of(run), run.using))


def _hidden(
    model_admin: AnyAdmin, request: HttpRequest, texts: Iterable[str], using: str
) -> Iterator[str]:
    """Those of the keys under which this user sees no row."""
    seen = seen_rows(model_admin, request, using)
    for keys in keys_named(model_admin.model, texts, using):
        found = set(seen.filter(pk__in=keys.values()).values_list("pk", flat=True))
        yield from (text for text, key in keys.items() if key not in found)
