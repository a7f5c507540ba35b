"""What was decided of rows before: verdicts, merges into them, merges undone. Only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import groupby
from json import loads
from typing import TYPE_CHECKING, Any

from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from ..finding.dismissed_groups import family
from ..models import DismissedRow, MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import Model, QuerySet

MOST = 20
"""How many decisions are told of."""

_READ = 2_000
"""How many rows they are told from: into one row, thousands may have been merged."""


class Kind(IntEnum):
    """A merge that was undone, a person's verdict, a merge that stands."""

    UNDONE = 0
    VERDICT = 1
    MERGE = 2


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What somebody decided: ``rows`` are the keys that it is about.

    Of a merge that stands those of the rows merged, ``into`` being the one that stayed.
    """

    kind: Kind
    number: int
    rows: tuple[str, ...]
    into: str
    by: str
    when: datetime | None
    note: str


def decided_before(model: type[Model], rows: Collection[str], using: str) -> tuple[Decision, ...]:
    """The decisions on rows with these keys, as the journal names keys. One look-up by indexes.

    A row that is there again although it was merged was brought back by an undo.
    """
    labels = family(model)
    found = _verdicts(labels, rows, using).union(
        _undone(labels, rows, using), _merges(labels, rows, using)
    )
    # without an order of its own a union takes that of its first model from Django 6.1 on
    told = sorted(_told(found.order_by()[:_READ]), key=_place)
    decisions = [_decision(list(some)) for _place_, some in groupby(told, key=_place)]
    return tuple(sorted(decisions, key=_order)[:MOST])


_COLUMNS = ("kind", "number", "row_", "into_", "by_", "when_", "note_", "survivor_", "undone_")


def _columns(kind: Kind, **expressions: Any) -> dict[str, Any]:
    """The columns of one kind, under names that all kinds share."""
    without = {"note_": Cast(Value(""), TextField()), "undone_": Cast(Value("[]"), TextField())}
    return {"kind": Value(int(kind)), **without, **expressions}


def _verdicts(labels: Collection[str], rows: Collection[str], using: str) -> QuerySet[Any, Any]:
    verdicts = DismissedRow.objects.using(using).filter(row__in=rows, group__model__in=labels)
    columns = _columns(
        Kind.VERDICT,
        number=F("group_id"),
        row_=F("row"),
        into_=F("row"),
        by_=F("group__by"),
        when_=F("group__dismissed"),
        note_=F("group__note"),
        survivor_=F("row"),
    )
    return verdicts.order_by().annotate(**columns).values_list(*_COLUMNS)


def _undone(labels: Collection[str], rows: Collection[str], using: str) -> QuerySet[Any, Any]:
    changes = _duplicates(labels, using).filter(merged__in=rows)
    return changes.annotate(**_of_run(Kind.UNDONE)).values_list(*_COLUMNS)


def _merges(labels: Collection[str], rows: Collection[str], using: str) -> QuerySet[Any, Any]:
    changes = _duplicates(labels, using).filter(into__in=rows, merged__isnull=False)
    stand = changes.exclude(step__run__status=MergeRun.Status.UNDONE)
    undone = Cast(F("step__run__undone"), TextField())
    return stand.annotate(**_of_run(Kind.MERGE, undone_=undone)).values_list(*_COLUMNS)


def _duplicates(labels: Collection[str], using: str) -> QuerySet[RowChange]:
    changes = RowChange.objects.using(using).filter(step__model__in=labels)
    return changes.filter(step__reason=MergeStep.Reason.DUPLICATE).order_by()


def _of_run(kind: Kind, **beside: Any) -> dict[str, Any]:
    return _columns(
        kind,
        number=F("step__run"),
        row_=F("merged"),
        into_=F("into"),
        by_=F("step__run__by"),
        when_=F("step__run__finished"),
        survivor_=F("survivor"),
        **beside,
    )


def _told(found: QuerySet[Any, Any]) -> Iterator[Decision]:
    """A decision for each row; of a merge that stands, those whose group was not undone."""
    for kind, number, row, into, by, when, note, survivor, undone in found:
        if kind == Kind.MERGE and survivor in loads(undone):
            continue
        yield Decision(
            kind=Kind(kind),
            number=number,
            rows=(row,),
            into=into if kind == Kind.MERGE else "",
            by=by,
            when=when,
            note=note,
        )


def _place(one: Decision) -> Any:
    return one.kind, one.number, one.into


def _decision(some: list[Decision]) -> Decision:
    """What was decided of several rows at once."""
    return replace(some[0], rows=tuple(row for one in some for row in one.rows))


def _order(decision: Decision) -> Any:
    """The latest first; those of which nobody knows when, last."""
    return (decision.when is None, -(decision.when.timestamp() if decision.when else 0))
