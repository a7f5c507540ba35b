"""What a run did and by which rules, in words: its groups with their survivors, its policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timesince, timezone
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..journal.reading import merged_pairs, step_kinds
from ..verbose import find_model, model_words, reference_words, row_words
from .permissions import find_model_admin
from .seen import named_rows
from .urls import row_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest

    from ..journal.progress import RunProgress
    from ..journal.reading import StepKind
    from ..models import HeldGroup, MergeRun

SHOWN = 50
"""How many groups of a run its page lists."""

_PAIRS = 500
"""Merged rows among which those groups are looked for."""


@dataclass(frozen=True, kw_only=True)
class MergedGroup:
    """One group that a run merged: its survivor, by key, name and page, and the old keys."""

    survivor: str
    name: str
    url: str
    duplicates: str
    is_undone: bool


def merged_groups(site: AdminSite, request: HttpRequest, run: MergeRun) -> list[MergedGroup]:
    """The first groups of a run, for whoever may read it. Two statements."""
    pairs = list(islice(merged_pairs(run, run.using), _PAIRS))
    groups = {
        survivor: [duplicate for duplicate, _survivor in group]
        for survivor, group in groupby(pairs, key=lambda pair: pair[1])
    }
    shown = dict(islice(groups.items(), SHOWN))
    rows = _rows(run, list(shown))
    return [
        MergedGroup(
            survivor=survivor,
            name=row_words(rows[survivor]) if survivor in rows else "",
            url=_url(site, request, rows.get(survivor)),
            duplicates=", ".join(duplicates),
            is_undone=survivor in run.undone,
        )
        for survivor, duplicates in shown.items()
    ]


def held_groups(run: MergeRun) -> list[HeldGroup]:
    """The first groups that a run held back. One statement."""
    return list(run.held_groups.order_by("pk")[:SHOWN])


def _rows(run: MergeRun, texts: list[str]) -> dict[str, Model]:
    model = find_model(run.model)
    return {} if model is None else dict(named_rows(QuerySet(model, using=run.using), texts))


def _url(site: AdminSite, request: HttpRequest, row: Model | None) -> str:
    model_admin = find_model_admin(site, type(row)) if row is not None else None
    if row is None or model_admin is None or not model_admin.has_view_permission(request, row):
        return ""
    return row_url(site, row)


def pace_in_words(progress: RunProgress) -> str:
    """How far a run has come, and how fast; what it waits for, if it does."""
    return " ".join(_pace(progress))


def _pace(progress: RunProgress) -> Iterator[str]:
    yield ngettext(
        "%(done)s of %(total)s group.", "%(done)s of %(total)s groups.", progress.groups
    ) % {
        "done": number_format(progress.done),
        "total": number_format(progress.groups),
    }
    if progress.rate is not None:
        yield _("%(rate)s rows a second.") % {"rate": number_format(progress.rate, 0)}
    if progress.run.batches:
        seconds = number_format(progress.lock_seconds, 2)
        yield _("Locks are held for %(seconds)s seconds.") % {"seconds": seconds}
    if progress.seconds_left is not None:
        left = timesince.timeuntil(timezone.now() + timedelta(seconds=progress.seconds_left))
        yield _("About %(time)s left.") % {"time": left}
    if progress.waits_for:
        yield _("Waits: %(reason)s.") % {"reason": progress.waits_for}


def kinds_in_words(run: MergeRun) -> Iterator[tuple[StepKind, str, str]]:
    """The kinds of steps of a run, each with the names of its rows and of their reference."""
    for kind in step_kinds(run):
        reference = reference_words(kind.reference) if kind.reference else ""
        yield kind, model_words(kind.model), reference


def rules_in_words(run: MergeRun) -> str:
    """By which rules the run merged."""
    return " ".join(_rules(run))


def _rules(run: MergeRun) -> Iterator[str]:
    policy: dict[str, Any] = run.policy or {}
    survivor = policy.get("survivor", "oldest")
    if policy.get("into") is not None:
        yield _("A person chose the row that stays.")
    elif isinstance(survivor, str) and survivor in _survivors():
        yield _survivors()[survivor]
    else:
        yield _("The first row by %(order)s stays.") % {"order": survivor}
    for name, rule in policy.get("field_rules", {}).items():
        yield _("%(field)s: %(rule)s.") % {"field": _label(run, name), "rule": rule}
    collisions = {str(policy.get("on_collision", "hold")), *policy.get("collisions", {}).values()}
    yield from (text for kind, text in _collisions().items() if kind in collisions)


def _survivors() -> dict[str, str]:
    return {
        "oldest": _("The oldest row stays."),
        "newest": _("The newest row stays."),
        "most-referenced": _("The row that most others point at stays."),
        "most-complete": _("The row with the fewest blanks stays."),
    }


def _collisions() -> dict[str, str]:
    return {
        "hold": _("Groups of which rows collide are held back."),
        "merge": _("Rows that collide are merged."),
        "discard": _("Of rows that collide, the one of the row that stays is kept."),
    }


def _label(run: MergeRun, name: str) -> str:
    model = find_model(run.model)
    fields = {} if model is None else {field.name: field for field in model._meta.concrete_fields}
    return capfirst(str(fields[name].verbose_name)) if name in fields else name
