"""The groups that are still held back: what the latest runs left for a person. Only reads."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import QuerySet

from ..databases.tables import require_table
from ..finding.dismissed_groups import verdicts_by_row
from ..finding.named_keys import KeyText
from ..keys import check_alias, row_set
from ..models import HeldGroup, MergeRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Model

_CHUNK = 500


def held_back(model: type[Model] | None = None, *, using: str = "default") -> Iterator[HeldGroup]:
    """The groups that the latest run of each match key held back, of one model or of all.

    A group of which fewer than two rows are left is settled, and so is one that a person has
    dismissed: neither comes again.
    """
    check_alias(using)
    require_table(MergeRun, using)
    for run in _latest_runs(model, using):
        groups = run.held_groups.order_by("pk")
        for start in range(0, run.groups_held_back, _CHUNK):
            yield from _unsettled(run, list(groups[start : start + _CHUNK]), using)


def _latest_runs(model: type[Model] | None, using: str) -> Iterator[MergeRun]:
    runs = MergeRun.objects.using(using).exclude(status=MergeRun.Status.UNDONE)
    if model is not None:
        runs = runs.filter(model=model._meta.label)
    seen = set()
    for run in runs.order_by("-pk").iterator():
        key = (run.model, *run.fields, str(run.policy.get("where")), str(run.policy.get("pks")))
        if key not in seen:
            seen.add(key)
            yield run


def _unsettled(run: MergeRun, groups: list[HeldGroup], using: str) -> list[HeldGroup]:
    try:
        model = apps.get_model(run.model)
    except LookupError:
        return []
    keys = [row_set(model, group.rows).pks for group in groups]
    rows: QuerySet[Any] = QuerySet(model, using=using).filter(pk__in=[*chain(*keys)]).order_by()
    left = dict(rows.values_list("pk", KeyText(model)))
    verdicts = verdicts_by_row(model, run.fields, left.values(), using)
    return [
        group
        for group, pks in zip(groups, keys, strict=True)
        if _is_open([left[pk] for pk in pks if pk in left], verdicts)
    ]


def _is_open(rows: list[str], verdicts: Mapping[str, set[int]]) -> bool:
    """Whether there are still two rows to look at, and no verdict names all that are left."""
    return len(rows) > 1 and not set.intersection(*(verdicts.get(row, set()) for row in rows))
