"""The rows that runs and verdicts are about: nobody reads of rows that they may not see.

A run is about its survivors, a verdict about its rows. Either is there for users who may view
the model, and from whom the `get_queryset` of its `ModelAdmin` hides none of these rows.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin

from ..errors import DedupeError
from ..journal.old_keys import key_of, key_text
from ..journal.reading import merged_rows, step_kinds
from ..models import DismissedRow, MergeRun, MergeStep
from ..verbose import find_model
from .permissions import (
    find_model_admin,
    may_change_and_delete,
    may_delete_models,
    may_undo_model,
    may_view_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from .permissions import AnyAdmin

LISTED_AT_MOST = 1000
"""Of how many rows a run is looked at before it is listed; a larger one is when it is opened."""

_CHUNK = 500
"""Keys in one look-up: SQLite takes few parameters."""


def may_read_run(site: AdminSite, request: HttpRequest, run: MergeRun) -> bool:
    """Whether this user may read what a run did: sees its model, and every survivor."""
    if not may_view_model(site, request, run.model):
        return False
    hiding = hiding_admin(site, request, run.model)
    return hiding is None or not _hides_any(hiding, request, _concerned(run), run.using)


def may_undo(site: AdminSite, request: HttpRequest, run: MergeRun) -> bool:
    """Whether this user may undo a run: may undo, and change and delete every survivor.

    What would come back in other tables takes the right to delete there, as merging did.
    """
    if not may_undo_model(site, request, run.model) or not may_read_run(site, request, run):
        return False
    if not may_delete_models(site, request, _deleted(run)):
        return False
    model = find_model(run.model)
    model_admin = find_model_admin(site, model) if model else None
    if model_admin is None or not asks_of_rows(model_admin):
        return True
    return all(
        may_change_and_delete(model_admin, request, row)
        for _, row in named_rows(seen_rows(model_admin, request, run.using), _survivors(run))
    )


def readable_runs(
    site: AdminSite, request: HttpRequest, runs: QuerySet[MergeRun]
) -> QuerySet[MergeRun]:
    """The runs that may be listed for this user: none about rows hidden from them.

    A statement more for each model, and some for each run of a model of which rows are hidden.
    """
    hidden: list[int] = []
    for label in _labels(runs):
        if not may_view_model(site, request, label):
            runs = runs.exclude(model=label)
        elif hiding_admin(site, request, label) is not None:
            some = runs.filter(model=label, rows_merged__lte=LISTED_AT_MOST)
            hidden += [run.pk for run in some if not may_read_run(site, request, run)]
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
            hidden += [
                each.pk
                for each in asked
                if (run is None and each.rows_merged > LISTED_AT_MOST)
                or not may_read_run(site, request, each)
            ]
    return steps.exclude(run__in=hidden) if hidden else steps


def readable_verdicts(
    site: AdminSite, request: HttpRequest, groups: QuerySet[Any]
) -> QuerySet[Any]:
    """The verdicts that may be listed for this user."""
    hidden: list[int] = []
    for label in _labels(groups):
        hiding = hiding_admin(site, request, label)
        if not may_view_model(site, request, label):
            groups = groups.exclude(model=label)
        elif hiding is not None:
            using = groups.db
            rows = DismissedRow.objects.using(using).filter(group__model=label)
            groups_of = defaultdict(set)
            for group, row in rows.values_list("group", "row"):
                groups_of[row].add(group)
            for row in _hidden(hiding, request, groups_of, using):
                hidden += groups_of[row]
    return groups.exclude(pk__in=hidden) if hidden else groups


def hiding_admin(site: AdminSite, request: HttpRequest, label: str) -> AnyAdmin | None:
    """The model's `ModelAdmin`, if it may hide rows from this user."""
    model = find_model(label)
    model_admin = find_model_admin(site, model) if model else None
    if model_admin is None:
        return None
    return model_admin if may_hide(model_admin.get_queryset(request)) else None


def may_hide(rows: QuerySet[Any]) -> bool:
    """Whether a queryset may leave out rows of its table."""
    query = rows.query
    return bool(query.where or query.is_sliced or query.combinator)


def _deleted(run: MergeRun) -> set[str]:
    """The models of which a run deleted rows, beside the one that it merged."""
    deleted = {kind.model for kind in step_kinds(run) if kind.action == MergeStep.Action.DELETE}
    return deleted - {run.model}


def _labels(kept: QuerySet[Any]) -> list[str]:
    return list(kept.order_by().values_list("model", flat=True).distinct())


def _survivors(run: MergeRun) -> Iterator[str]:
    """The keys, as text, of the rows into which a run merged."""
    rows = merged_rows(run, run.using).order_by("pk").values_list("survivor", flat=True)
    last = None
    for text in rows.iterator():
        if text != last:
            yield text
        last = text


def _concerned(run: MergeRun) -> Iterator[str]:
    """The keys, as text, of the rows that a run merged into, and of those it held back."""
    yield from _survivors(run)
    model, using = find_model(run.model), run.using
    for group in run.held_groups.using(using).values_list("rows", flat=True).iterator():
        yield from (key_text(model, row, using) for row in group if model)


def _hides_any(
    model_admin: AnyAdmin, request: HttpRequest, texts: Iterable[str], using: str
) -> bool:
    return any(True for _ in _hidden(model_admin, request, texts, using))


def _hidden(
    model_admin: AnyAdmin, request: HttpRequest, texts: Iterable[str], using: str
) -> Iterator[str]:
    """Those of the keys under which this user sees no row."""
    seen = seen_rows(model_admin, request, using)
    for keys in _keys(model_admin.model, texts, using):
        found = set(seen.filter(pk__in=keys.values()).values_list("pk", flat=True))
        yield from (text for text, key in keys.items() if key not in found)


def seen_rows(model_admin: AnyAdmin, request: HttpRequest, using: str) -> QuerySet[Any]:
    """The rows of the model that this user sees, in no order."""
    return model_admin.get_queryset(request).using(using).order_by()


def named_rows(rows: QuerySet[Any], texts: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Those of the rows that these keys name, each after its key. A statement for each chunk."""
    for keys in _keys(rows.model, texts, rows.db):
        found = {row.pk: row for row in rows.filter(pk__in=keys.values())}
        yield from ((text, found[key]) for text, key in keys.items() if key in found)


def _keys(model: Any, texts: Iterable[str], using: str) -> Iterator[dict[str, Any]]:
    """The keys as models hold them, chunk by chunk."""
    waiting = iter(texts)
    while chunk := list(islice(waiting, _CHUNK)):
        yield {text: _key(model, text, using) for text in chunk}


def _key(model: Any, text: str, using: str) -> Any:
    try:
        return key_of(model, text, using)
    except DedupeError:  # the model has another key now: nobody sees that row
        return None


def asks_of_rows(model_admin: AnyAdmin) -> bool:
    """Whether a `ModelAdmin` has a word of its own on what may be done with which row."""
    own = type(model_admin)
    return (
        own.has_change_permission is not ModelAdmin.has_change_permission
        or own.has_delete_permission is not ModelAdmin.has_delete_permission
    )
